"""The only place of the stand-in that knows that gradio has versions: 4.40 by default, 3.41 by choice."""

from __future__ import annotations

import contextlib
import inspect
import io

import gradio as gr
from PIL import Image

GRADIO4 = int(gr.__version__.split(".")[0]) >= 4

if GRADIO4:
    from gradio import component_meta

    # Subclassing a component would write a .pyi file beside our source.
    component_meta.create_or_modify_pyi = lambda *args, **kwargs: None


# {elem_id: text}; script.js turns them into titles.
tooltips: dict[str, str] = {}


def js(code: str) -> dict[str, str]:
    """The keyword that runs JavaScript at an event."""
    return {"js" if GRADIO4 else "_js": code}


def form_component(base: type, name: str, classes: tuple[str, ...] = (), **fixed) -> type:
    """Subclass a component under a new name; the page draws it as its base, with more CSS classes."""

    def __init__(self, *args, **kwargs):
        tooltip = kwargs.pop("tooltip", None)
        if tooltip and kwargs.get("elem_id"):
            tooltips[kwargs["elem_id"]] = tooltip
        kwargs["elem_classes"] = [*_listed(kwargs.get("elem_classes")), *classes]
        for key, value in fixed.items():
            kwargs.setdefault(key, value)
        base.__init__(self, *args, **kwargs)

    # gradio reads the configuration of a component from its constructor's signature.
    __init__.__signature__ = inspect.signature(base.__init__)
    return type(base)(name, (base,), {"__init__": __init__, "is_template": True, "__module__": __name__})


def _listed(classes) -> list[str]:
    if classes is None:
        return []
    return [classes] if isinstance(classes, str) else list(classes)


def watch_components(before, after) -> None:
    """Call `before(component, **kwargs)` and `after(...)` around the making of every component."""
    base = gr.components.Component if GRADIO4 else gr.components.IOComponent
    original = getattr(base.__init__, "watched", base.__init__)

    def __init__(self, *args, **kwargs):
        # gradio 4 copies components at run time: only those that are put on a page are news.
        on_page = gr.context.Context.root_block is not None and kwargs.get("render") is not False
        if on_page:
            before(self, **kwargs)
        original(self, *args, **kwargs)
        if on_page:
            after(self, **kwargs)

    __init__.watched = original
    __init__.__signature__ = inspect.signature(original)
    base.__init__ = __init__


def image_upload(elem_id: str, **kwargs):
    """An ordinary picture field."""
    # gradio 4 would send pictures as lossy webp.
    how = {"sources": ["upload", "clipboard"], "format": "png"} if GRADIO4 else {"source": "upload"}
    return gr.Image(type="pil", elem_id=elem_id, **how, **kwargs)


def gallery(elem_id: str, **kwargs):
    """A picture gallery that shows files as they are."""
    return gr.Gallery(
        elem_id=elem_id,
        preview=True,
        object_fit="contain",
        **({"format": "png"} if GRADIO4 else {}),
        **kwargs,
    )


def local_theme():
    """The default theme with fonts the machine has: nothing is fetched from the net."""
    return gr.themes.Default(
        font=[gr.themes.Font("system-ui"), gr.themes.Font("Segoe UI"), gr.themes.Font("sans-serif")],
        font_mono=[gr.themes.Font("ui-monospace"), gr.themes.Font("Consolas"), gr.themes.Font("monospace")],
    )


def rewrite_page(head) -> None:
    """Put `head()` into every page before its end, and take the addresses of other servers out."""
    templates = gr.routes.templates
    original = getattr(templates.TemplateResponse, "rewritten", templates.TemplateResponse)

    def template_response(*args, **kwargs):
        response = original(*args, **kwargs)
        page = response.body.decode("utf8")
        page = _without_other_servers(page).replace("</head>", f"{head()}</head>", 1)
        response.body = page.encode("utf8")
        response.init_headers()
        return response

    template_response.rewritten = original
    templates.TemplateResponse = template_response


def _without_other_servers(page: str) -> str:
    for host in ("fonts.googleapis.com", "fonts.gstatic.com", "cdnjs.cloudflare.com"):
        while (at := page.find(host)) >= 0:
            start = page.rfind("<", 0, at)
            is_script = page.startswith("<script", start)
            end = page.find("</script>", at) + len("</script>") if is_script else page.find(">", at) + 1
            page = page[:start] + page[end:]
    return page


def trust_own_address() -> None:
    """Launch without asking oneself for the page first: a proxy or a busy machine would make that fail."""
    gr.networking.url_ok = lambda url: True


@contextlib.contextmanager
def without_servers():
    """Build pages only: gradio would make a whole server for every part of one (a sixth of a second each)."""
    original = gr.routes.App.create_app
    gr.routes.App.create_app = staticmethod(lambda *args, **kwargs: None)
    try:
        yield
    finally:
        gr.routes.App.create_app = original


def launch_arguments(allowed_paths: list[str]) -> dict[str, object]:
    """Arguments of `Blocks.launch` in both versions."""
    return {"allowed_paths": allowed_paths, "show_api": False, "quiet": True, "share": False}


def png_bytes(image: Image.Image) -> bytes:
    """A picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
