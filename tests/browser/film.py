"""A film of a page: screenshots with the mouse drawn in and a line below that says what is done."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator, Page

ARROW = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (13, 12))
STRIP, INK, PAPER = 44, (255, 255, 255), (31, 41, 55)
GLIDE_STEPS, GLIDE_MS = 4, 70
QUALITY = 72  # of WebP: letters stay sharp


@dataclass
class Film:
    """Frames of `page`; `width` is that of the finished film in pixels."""

    page: Page
    width: int
    words: str = ""
    _mouse: tuple[float, float] = (600.0, 560.0)
    _frames: list[tuple[Image.Image, int]] = field(default_factory=list)

    def say(self, words: str) -> None:
        """What stands below the frames from now on."""
        self.words = words

    def show(self, ms: int, pressed: bool = False) -> None:
        """Take a frame that stands for `ms` milliseconds."""
        shot = _opened(self.page.screenshot())
        size = (self.width, round(shot.height * self.width / shot.width))
        frame = Image.new("RGB", (size[0], size[1] + STRIP), PAPER)
        _draw_mouse(shot, self._mouse, pressed)
        frame.paste(shot.resize(size, Image.Resampling.LANCZOS))
        font = ImageFont.load_default(18)
        pen = ImageDraw.Draw(frame)
        pen.text((self.width // 2, size[1] + STRIP // 2), self.words, fill=INK, font=font, anchor="mm")
        self._frames.append((frame, ms))

    def glide(self, target: Locator | tuple[float, float]) -> None:
        """Move the mouse to the middle of a thing, or to a point."""
        if isinstance(target, Locator):
            box = target.bounding_box()
            assert box is not None, "what the mouse should go to is not on the page"
            target = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        (x, y), (to_x, to_y) = self._mouse, target
        for step in range(1, GLIDE_STEPS + 1):
            part = step / GLIDE_STEPS
            self._mouse = (x + (to_x - x) * part, y + (to_y - y) * part)
            self.page.mouse.move(*self._mouse)
            self.show(GLIDE_MS)

    def click(self, target: Locator, ms: int = 350) -> None:
        """Go there, press, and show what came of it."""
        self.glide(target)
        self.show(200, pressed=True)
        self.page.mouse.down()
        self.page.mouse.up()
        self.page.wait_for_timeout(250)
        self.show(ms)

    def type(self, text: str) -> None:
        """Type into what has the focus, letter by letter."""
        for letter in text:
            self.page.keyboard.type(letter)
            self.show(150)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 6) -> None:
        """Hold the mouse from one point to another."""
        self.glide(start)
        self.page.mouse.down()
        for step in range(1, steps + 1):
            part = step / steps
            self._mouse = (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)
            self.page.mouse.move(*self._mouse)
            self.show(90, pressed=True)
        self.page.mouse.up()

    def save(self, path: Path) -> None:
        """Write an animated WebP that repeats for ever."""
        first, *others = (frame for frame, _ in self._frames)
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=[ms for _, ms in self._frames],
            loop=0,
            quality=QUALITY,
            method=4,
        )


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _draw_mouse(picture: Image.Image, place: tuple[float, float], pressed: bool) -> None:
    pen = ImageDraw.Draw(picture, "RGBA")
    x, y = place
    if pressed:
        pen.ellipse((x - 16, y - 16, x + 16, y + 16), outline=(194, 65, 12, 255), width=4)
    pen.polygon([(x + 1.3 * dx, y + 1.3 * dy) for dx, dy in ARROW], fill=(0, 0, 0), outline=(255, 255, 255))
