"""Ten thousand files that are nowhere on the disk: the routes of the library, played inside the browser.

What the page must do with many files and with hostile names needs no files; how quick the server is with real
ones is measured elsewhere.
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

FOLDERS = (
    "characters",
    "characters/games",
    "characters/anime",
    "styles",
    "styles/painters",
    "clothing",
    "objects",
    "日本語",
)
WORDS = (
    "ghibli",
    "armor",
    "forest",
    "neon",
    "mecha",
    "watercolor",
    "school uniform",
    "lantern",
    "dragon",
    "emerald",
)
ROLES = ("character", "style", "concept", "clothing", "object", "")
ARCHITECTURES = {"sd1": "SD 1.x", "sdxl": "SDXL", "flux": "Flux", "": ""}
FAMILIES = ("lora", "locon", "loha", "lokr", "locon+dora")
HOSTILE = '<img src=x onerror="document.title=1"><b>bold</b>'
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz0AEYBxVSF+FAABJADveWkH6oAAAAABJRU5ErkJggg=="
)


def make_item(index: int) -> dict[str, Any]:
    """Return one file as the server describes it; every tenth does not fit, every fiftieth cannot be used."""
    draw = random.Random(index)
    folder = draw.choice(FOLDERS)
    word = draw.choice(WORDS)
    architecture = draw.choice(list(ARCHITECTURES)) if index % 10 == 0 else "sd1"
    name = f"{word} v{index % 7 + 1} {index:05d}"
    return {
        "id": f"f{index}",
        "label": f"{folder}/{name}",
        "name": name,
        "folder": folder,
        "title": word.title(),
        "alias": "",
        "root": 0,
        "hash": f"{index:012x}",
        "preview": index % 3 != 0,
        "preview_version": "1",
        "size": 9_000_000 + index * 12_345,
        "mtime": 1_700_000_000 + index * 3600,
        "family": draw.choice(FAMILIES),
        "rank": str(draw.choice((4, 8, 16, 32, 64))),
        "architecture": architecture,
        "architecture_label": ARCHITECTURES[architecture],
        "trigger_words": [word, f"{word} style"],
        "tags": [word, folder.partition("/")[0]],
        "role": draw.choice(ROLES),
        "favourite": index % 97 == 0,
        "rating": draw.choice((0, 0, 0, 3, 4, 5)),
        "preferred_weight": 0.7 if index % 4 == 0 else None,
        "notes": "A note." if index % 5 == 0 else "",
        "description": "",
        "used": 1_750_000_000 if index % 11 == 0 else None,
        "uses": 3 if index % 11 == 0 else 0,
        "problem": "The file ends too early." if index % 50 == 49 else "",
        "fits": None if architecture == "" else architecture == "sd1",
        "misfit": "" if architecture in ("sd1", "") else f"Made for {ARCHITECTURES[architecture]}.",
    }


class FakeLibrary:
    """The files and the answers; `asked` lists every request as (method, route, query or body)."""

    def __init__(self, count: int, *extra: dict[str, Any]) -> None:
        self.items = [*extra, *(make_item(index) for index in range(count))]
        self.asked: list[tuple[str, str, Any]] = []
        self.hashed: set[str] = set()
        self.links: list[dict[str, str]] = []
        self.problems: list[str] = []

    def serve(self, page: Page) -> None:
        """Answer the page's questions about files from here on; `unserve` gives them back to the demo."""
        page.route("**/lora-stack/**", self._answer)

    def unserve(self, page: Page) -> None:
        page.unroute("**/lora-stack/**", self._answer)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        name = address.path.rpartition("/lora-stack/")[2].replace("/", "_")
        query = parse_qs(address.query)
        method = route.request.method
        body = json.loads(route.request.post_data) if route.request.post_data else None
        answer = getattr(self, f"_{method.lower()}_{name}", None)
        if answer is None:
            route.fallback()
            return
        self.asked.append((method, name, body if body is not None else query))
        told = answer(body if body is not None else query)
        if isinstance(told, bytes):
            route.fulfill(body=told, content_type="image/png")
        else:
            route.fulfill(json=told)

    def _get_networks(self, query: dict[str, list[str]]) -> Any:
        found = self.found(query)
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        items = found[offset : offset + limit]
        return {"total": len(found), "offset": offset, "items": items, "problems": self.problems}

    def _get_facets(self, query: dict[str, list[str]]) -> Any:
        found = self.found(query)

        def counts(field: str, labels: dict[str, str] | None = None) -> list[dict[str, Any]]:
            values = [value for item in found for value in _values(item[field])]
            known = {value: values.count(value) for value in dict.fromkeys(values)}
            return [
                {"name": value, "label": (labels or {}).get(value, value), "count": n}
                for value, n in known.items()
            ]

        folders = [
            {"path": path, "root": 0, "count": sum(_below(item, path) for item in found), "own": 0}
            for path in FOLDERS
        ]
        return {
            "total": len(found),
            "roots": [{"root": 0, "path": "Lora", "count": len(found)}],
            "folders": folders,
            "architectures": counts("architecture", ARCHITECTURES),
            "families": counts("family"),
            "roles": counts("role"),
            "tags": counts("tags"),
            "checkpoint": {"architecture": "sd1", "label": "SD 1.x"},
        }

    def _get_preview(self, query: dict[str, list[str]]) -> bytes:
        return PIXEL

    def _get_network(self, query: dict[str, list[str]]) -> Any:
        item = self._item(query["id"][0])
        hashed = item["id"] in self.hashed
        hashes = ("autov3", "payload_sha256", "autov2", "sha256", "legacy")
        return {
            **item,
            "path": f"{item['label']}.safetensors",
            "metadata": [{"key": "ss_epoch", "label": "Epochs", "value": "12"}],
            "raw": {"ss_epoch": "12", "modelspec.title": item["title"]},
            "tag_frequencies": [[f"{tag} {n}", 400 - 9 * n] for n in range(40) for tag in item["tags"][:1]],
            "datasets": [{"name": "figures", "repeats": 10, "images": 42}],
            "hashes": dict.fromkeys(hashes, item["hash"] if hashed else None)
            | {"declared": item["hash"], "declared_is_right": True if hashed else None},
            "sidecars": [
                {"name": f"{item['name']}.json", "kind": "webui", "problem": "", "fields": {"notes": "x"}}
            ],
            "user": {"trigger_words": None, "tags": None},
            "history": [{"time": 1, "weight": 0.7}],
            "remarks": [],
            "parts": ["unet", "te2"],
            "dtypes": {"F16": 264},
            "strengths": None,
            "previews": 2,
            "example_prompts": [f"a girl, {item['name']}"],
            "links": [{"label": "Civitai", "href": "https://civitai.com/models/1"}, *self.links],
            "writable": True,
        }

    def _get_strengths(self, query: dict[str, list[str]]) -> Any:
        names = [*(f"down_blocks_{n}" for n in range(4)), "mid_block", *(f"up_blocks_{n}" for n in range(4))]
        blocks = [{"name": name, "part": "unet", "norm": 1 + n % 7} for n, name in enumerate(names)]
        blocks.append({"name": "te_layers_0", "part": "text encoder", "norm": None})
        return {"blocks": blocks, "largest": 7, "faults": []}

    def _get_siblings(self, query: dict[str, list[str]]) -> Any:
        return {"items": self.items[2:4]}

    def _post_interference(self, wanted: dict[str, Any]) -> Any:
        rows = [row["network"] for row in json.loads(wanted["stack"] or '{"entries": []}')["entries"]]
        matrix = [[1.0 if row == column else 0.4 for column in range(len(rows))] for row in range(len(rows))]
        return {"rows": rows, "matrix": matrix, "left_out": [0] * len(rows)}

    def _get_compare(self, query: dict[str, list[str]]) -> Any:
        a, b = self._item(query["a"][0]), self._item(query["b"][0])
        rows = [
            {"key": key, "label": key.title(), "a": a[key], "b": b[key], "same": a[key] == b[key]}
            for key in ("family", "rank", "architecture_label", "title")
        ]
        return {"a": a, "b": b, "rows": rows, "tags": {"a": [["hat", 3]], "b": [], "both": [["1girl", 2, 9]]}}

    def _post_hash(self, wanted: dict[str, Any]) -> Any:
        self.hashed.update(wanted["ids"])
        return {"state": "running", "of": len(wanted["ids"])}

    def _delete_hash(self, _: Any) -> Any:
        return {"state": "cancelled"}

    def _post_metadata(self, wanted: dict[str, Any]) -> Any:
        item = self._item(wanted["id"])
        return {"item": item, "written": True, "payload_unchanged": True, "backup": f"{item['name']}.bak"}

    def _post_metadata_copy(self, wanted: dict[str, Any]) -> Any:
        return {"copied": wanted["to"][:1], "skipped": [{"label": "b", "why": "It has its own."}]}

    def _item(self, name: str) -> dict[str, Any]:
        return next(item for item in self.items if item["id"] == name)

    def _patch_network(self, change: dict[str, Any]) -> Any:
        item = self._item(change["id"])
        item.update({name: value for name, value in change.items() if name != "id"})
        return item

    def found(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Return the files that a query finds."""
        words = " ".join(query.get("q", [])).casefold().split()
        found = [item for item in self.items if all(word in item["label"].casefold() for word in words)]
        for folder in query.get("folder", []):
            found = [item for item in found if _below(item, folder)]
        for field in ("architecture", "family", "role"):
            if wanted := query.get(field):
                found = [item for item in found if item[field] in wanted]
        for tag in query.get("tag", []):
            found = [item for item in found if tag in item["tags"]]
        if "fits" in query:
            found = [item for item in found if item["fits"]]
        if "favourite" in query:
            found = [item for item in found if item["favourite"]]
        if "recent" in query:
            found = [item for item in found if item["used"]]
        if query.get("sort") == ["rating"]:
            found = sorted(found, key=lambda item: -item["rating"])
        return found


def _values(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _below(item: dict[str, Any], folder: str) -> bool:
    return item["folder"] == folder or item["folder"].startswith(f"{folder}/")
