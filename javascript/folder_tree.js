// The folders of the library as a tree. Growing it from the server's list needs no page.
(function (LoraStack) {
    "use strict";

    /** Nodes { key, name, folder, root, count, children } below one top node, from the server's facets. */
    function growTree({ folders = [], roots = [], total = 0 }) {
        const several = roots.length > 1;
        const top = { key: "", name: "", folder: "", root: "", count: total, children: [] };
        const nodes = new Map([["", top]]);
        const nodeOf = (root, folder) => {
            if (!several && folder === "") return top;
            const key = `${several ? root : ""}:${folder}`;
            if (nodes.has(key)) return nodes.get(key);
            const cut = folder.lastIndexOf("/");
            const parent = folder === "" ? top : nodeOf(root, cut < 0 ? "" : folder.slice(0, cut));
            const node = { key, name: folder.slice(cut + 1), folder, root: several ? root : "", count: 0, children: [] };
            nodes.set(key, node);
            parent.children.push(node);
            return node;
        };
        if (several) for (const { root, path, count } of roots) Object.assign(nodeOf(root, ""), { name: path, count });
        for (const { root, path, count } of folders) if (path !== "") nodeOf(root, path).count = count;
        return top;
    }

    /** The nodes that are drawn, as { node, depth }: the top, and children of what is unfolded. */
    function visibleNodes(top, unfolded) {
        const found = [];
        const visit = (node, depth) => {
            found.push({ node, depth });
            if (depth === 0 || unfolded.has(node.key)) for (const child of node.children) visit(child, depth + 1);
        };
        visit(top, 0);
        return found;
    }

    class FolderTree {
        #onChoose;
        #isKnown = false; // before the first answer nobody knows how many there are
        #top = growTree({});
        #unfolded = new Set();
        #chosen = "";
        #focused = "";

        constructor(onChoose) {
            this.#onChoose = onChoose;
            this.root = LoraStack.make("ul", { class: "ls-tree", role: "tree", "aria-label": LoraStack.text("filter.folders"), onkeydown: (event) => this.#key(event) });
        }

        update(facets, query) {
            this.#isKnown = facets.total !== undefined;
            this.#top = growTree(facets);
            this.#chosen = query.folder === "" && query.root === "" ? "" : `${this.#top.children.some((node) => node.root !== "") ? query.root : ""}:${query.folder}`;
            this.#draw();
        }

        #draw() {
            const { make, icon, text } = LoraStack;
            const hadFocus = this.root.contains(document.activeElement);
            const visible = visibleNodes(this.#top, this.#unfolded);
            if (!visible.some(({ node }) => node.key === this.#focused)) this.#focused = "";
            const items = visible.map(({ node, depth }) => {
                const folds = depth > 0 && node.children.length > 0;
                const item = make("li", {
                    class: "ls-tree-item", role: "treeitem", tabindex: node.key === this.#focused ? "0" : "-1", "aria-level": depth + 1,
                    "aria-selected": String(node.key === this.#chosen), "aria-expanded": folds ? String(this.#unfolded.has(node.key)) : null,
                    title: node.folder || null, onclick: (event) => this.#clicked(event, node),
                }, folds ? make("span", { class: "ls-tree-fold", "aria-hidden": "true" }, icon("fold")) : make("span", { class: "ls-tree-fold" }),
                make("span", { class: "ls-tree-name" }, node === this.#top ? text("filter.all_folders") : node.name), make("span", { class: "ls-count" }, this.#isKnown ? String(node.count) : ""));
                item.style.setProperty("--ls-depth", Math.max(0, depth - 1));
                return item;
            });
            this.root.replaceChildren(...items);
            if (hadFocus) this.root.querySelector("[tabindex='0']")?.focus();
        }

        #clicked(event, node) {
            this.#focused = node.key;
            if (event.target.closest(".ls-tree-fold") && node.children.length) {
                this.#fold(node, this.#unfolded.has(node.key));
                return;
            }
            this.#unfolded.add(node.key);
            this.#onChoose({ folder: node.folder, root: node.root });
        }

        #fold(node, closed) {
            if (closed) this.#unfolded.delete(node.key);
            else this.#unfolded.add(node.key);
            this.#draw();
        }

        #key(event) {
            const visible = visibleNodes(this.#top, this.#unfolded);
            const at = visible.findIndex(({ node }) => node.key === this.#focused);
            const { node, depth } = visible[at];
            const step = { ArrowDown: 1, ArrowUp: -1, Home: -visible.length, End: visible.length }[event.key];
            if (step) this.#focused = visible[Math.max(0, Math.min(visible.length - 1, at + step))].node.key;
            else if (event.key === "ArrowRight" && depth > 0 && node.children.length) this.#unfolded.add(node.key);
            else if (event.key === "ArrowLeft" && this.#unfolded.has(node.key)) this.#unfolded.delete(node.key);
            else if (event.key === "Enter" || event.key === " ") this.#onChoose({ folder: node.folder, root: node.root });
            else return;
            event.preventDefault();
            this.#draw();
        }
    }

    Object.assign(LoraStack, { growTree, visibleNodes, FolderTree });
})((globalThis.LoraStack = globalThis.LoraStack || {}));
