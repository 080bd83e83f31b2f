"""What is put into the head of the page: the host's script and style, then those of the extensions."""

from __future__ import annotations

import html
import json
import secrets
from pathlib import Path

from modules import scripts, shared
from modules.gradio_extensions import rewrite_page, tooltips
from modules.paths_internal import script_path

STYLE = Path(script_path) / "style"
page_name = ""  # of the page now served: Reload UI makes another


def webpath(path: str | Path) -> str:
    """The address of a file, changing when the file does."""
    return f"file={html.escape(str(path), quote=True)}?{Path(path).stat().st_mtime}"


def _inline(text: str) -> str:
    """JSON that may stand inside a script element."""
    return text.replace("</", "<\\/")


def javascript_html() -> str:
    """script.js, then the classic scripts, then the modules, by extension and name."""
    values = {"opts": shared.opts.dumpjson()}
    values |= {name: json.dumps(value) for name, value in {"hints": tooltips, "pageName": page_name}.items()}
    head = "".join(f"<script>var {name} = {_inline(value)};</script>\n" for name, value in values.items())
    own = sorted(STYLE.glob("*.js"), key=lambda path: (path.name != "script.js", path.name))
    classic = [*own, *(file.path for file in scripts.list_scripts("javascript", ".js"))]
    head += "".join(f'<script type="text/javascript" src="{webpath(path)}"></script>\n' for path in classic)
    for file in scripts.list_scripts("javascript", ".mjs"):
        head += f'<script type="module" src="{webpath(file.path)}"></script>\n'
    if shared.cmd_opts.theme:
        head += f'<script type="text/javascript">set_theme("{shared.cmd_opts.theme}");</script>\n'
    return head


def css_html() -> str:
    """The host's style, then the style.css of every extension."""
    paths = [*sorted(STYLE.glob("*.css")), *scripts.list_files_with_name("style.css")]
    return "".join(
        f'<link rel="stylesheet" property="stylesheet" href="{webpath(path)}">\n' for path in paths
    )


def served_paths() -> list[str]:
    """Folders and files the page may fetch."""
    from modules import extensions
    from modules.paths_internal import default_output_dir

    paths = [STYLE, Path(default_output_dir)]
    paths += [Path(shared.opts.outdir_txt2img_samples), Path(shared.opts.outdir_img2img_samples)]
    for extension in extensions.active():
        root = Path(extension.path)
        paths += [root / "javascript", root / "style.css", root / "localizations"]
    return [str(path) for path in paths]


def setup_ping_api(app) -> None:
    """Answer GET /internal/ping: which page is served."""
    name = page_name
    app.add_api_route("/internal/ping", lambda: {"page": name}, methods=["GET"])


def reload_javascript() -> None:
    """Let every page that is served from now on carry our head."""
    global page_name
    page_name = secrets.token_hex(8)
    rewrite_page(lambda: css_html() + javascript_html())
