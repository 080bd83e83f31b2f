// What is asked of the library: words, folder, filters, order. Queries are values; no page needed.
(function (LoraStack) {
    "use strict";

    const EMPTY = Object.freeze({
        q: "", folder: "", root: "", architecture: Object.freeze([]), family: Object.freeze([]), role: Object.freeze([]), tag: Object.freeze([]),
        favourite: false, recent: false, fits: false, sort: "",
    });
    const LISTS = Object.freeze(["architecture", "family", "role", "tag"]); // of each at most one value: the counts tell what the others would find
    const SWITCHES = Object.freeze(["fits", "favourite", "recent"]);
    const SORTS = Object.freeze(["", "name", "added", "date", "used", "rating", "size"]); // "": the best first where words are searched, else by name

    /** The query as pairs for an address; what is not asked for is left out. */
    function queryPairs(query) {
        const pairs = [];
        if (query.q.trim()) pairs.push(["q", query.q.trim()]);
        for (const name of ["folder", "root", "sort"]) if (query[name] !== "") pairs.push([name, String(query[name])]);
        for (const name of LISTS) for (const value of query[name]) pairs.push([name, value]);
        for (const name of SWITCHES) if (query[name]) pairs.push([name, "1"]);
        return pairs;
    }

    /** The query with a value chosen in a list, in place of the one before, or taken out; or with a switch turned. */
    function toggleFilter(query, name, value = null) {
        if (SWITCHES.includes(name)) return { ...query, [name]: !query[name] };
        return { ...query, [name]: query[name].includes(value) ? [] : [value] };
    }

    /** Every filter that is set, as { name, value }: what a person can take out one by one. Words are not among them. */
    function setFilters(query) {
        const found = SWITCHES.filter((name) => query[name]).map((name) => ({ name, value: null }));
        if (query.folder !== "" || query.root !== "") found.push({ name: "folder", value: query.folder });
        for (const name of LISTS) found.push(...query[name].map((value) => ({ name, value })));
        return found;
    }

    function withoutFilter(query, { name, value }) {
        if (name === "folder") return { ...query, folder: "", root: "" };
        return toggleFilter(query, name, value);
    }

    /** The query without any filter; words and order stay. */
    function withoutFilters(query) {
        return { ...EMPTY, q: query.q, sort: query.sort };
    }

    Object.assign(LoraStack, { EMPTY_QUERY: EMPTY, FILTER_LISTS: LISTS, FILTER_SWITCHES: SWITCHES, SORTS, queryPairs, toggleFilter, setFilters, withoutFilter, withoutFilters });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
