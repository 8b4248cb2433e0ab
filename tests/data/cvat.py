"""Tiny CVAT exports, written from numbers: XML for images and for video, and segmentation masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.layouts import NAMES, TABLE, ids_of, photo_of, save

COLOURS = dict(zip(NAMES, TABLE.colours, strict=True))


def meta(
    labels: Sequence[str] = NAMES, *, kind: str = "task", more: str = "", colours: dict[str, tuple] | None = None
) -> str:
    """The head of a file; `more` goes before its labels."""
    known = COLOURS if colours is None else colours
    listed = "".join(
        f"<label><name>{name}</name>"
        + (f"<color>#{bytes(known[name]).hex()}</color>" if name in known else "")
        + "<type>any</type><attributes></attributes></label>"
        for name in labels
    )
    return f"<meta><{kind}><id>7</id><name>tiny</name>{more}<labels>{listed}</labels></{kind}></meta>"


def document(body: str, head: str | None = None) -> str:
    head = meta() if head is None else head
    top = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>'
    return f"{top}\n{head}\n{body}\n</annotations>\n"


def image(name: str, shapes: str = "", *, number: int = 0, hw: tuple[int, int] = (12, 16), more: str = "") -> str:
    return f'<image id="{number}" name="{name}" {more} width="{hw[1]}" height="{hw[0]}">\n{shapes}\n</image>\n'


def element(tag: str, label: str, *, z: int = 0, inside: str = "", **attributes: object) -> str:
    spelled = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<{tag} label="{label}" source="manual" occluded="0"{spelled} z_order="{z}">{inside}</{tag}>'


def box(label: str, left: float, top: float, right: float, bottom: float, **more: object) -> str:
    return element("box", label, xtl=left, ytl=top, xbr=right, ybr=bottom, **more)


def polygon(label: str, points: Sequence[tuple[float, float]], tag: str = "polygon", **more: object) -> str:
    return element(tag, label, points=";".join(f"{x},{y}" for x, y in points), **more)


def cvat_file(root: Path, body: str, head: str | None = None, *, name: str = "annotations.xml") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(document(body, head), encoding="utf-8")
    return root


def cvat(root: Path, *, count: int = 4) -> Path:
    """A task of some photos, each with a box, a polygon above it and a mask of one pixel that is ignored."""
    images = []
    for seed in range(count):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
        shapes = polygon("tree", [(7, 5), (16, 5), (16, 12), (7, 12)], z=1)
        shapes += box("road", 2, 0, 9, 6 + seed % 4)
        shapes += element("mask", "__ignore__", z=2, rle="0, 1", left=seed, top=11, width=1, height=1)
        images.append(image(f"p{seed}.png", shapes, number=seed))
    return cvat_file(root, "".join(images))


def frame(number: int, *, outside: int = 0, keyframe: int = 1, z: int = 0, **attributes: object) -> str:
    """The attributes that a shape of a track has."""
    listed = {"frame": number, "keyframe": keyframe, "outside": outside, "occluded": 0, **attributes, "z_order": z}
    return " ".join(f'{name}="{value}"' for name, value in listed.items())


def track(label: str, *shapes: str, tag: str = "box", number: int = 0, more: str = "") -> str:
    listed = "".join(f"<{tag} {one}></{tag}>" for one in shapes)
    return f'<track id="{number}" label="{label}" source="manual" {more}>{listed}</track>\n'


def at(left: float, top: float, right: float, bottom: float) -> dict[str, float]:
    return {"xtl": left, "ytl": top, "xbr": right, "ybr": bottom}


def video_meta(first: int = 0, last: int = 3, *, step: int = 1, hw: tuple[int, int] | None = (12, 16)) -> str:
    more = f"<size>{(last - first) // step + 1}</size><mode>interpolation</mode><start_frame>{first}</start_frame>"
    more += f"<stop_frame>{last}</stop_frame><frame_filter>{f'step={step}' if step > 1 else ''}</frame_filter>"
    if hw is not None:
        more += f"<original_size><width>{hw[1]}</width><height>{hw[0]}</height></original_size>"
    return meta(more=more)


def cvat_video(root: Path, *, count: int = 4) -> Path:
    """A video in which a box moves from the first to the last frame before a tree that stands still."""
    for number in range(count):
        save(root / "images" / f"frame_{number:06d}.PNG", photo_of(number))
    last = count - 1
    tracks = track("tree", frame(0, **at(7, 5, 16, 12)))
    tracks += track("road", frame(0, z=1, **at(2, 0, 9, 6)), frame(last, z=1, **at(5, 3, 12, 9)), number=1)
    return cvat_file(root, tracks, video_meta(0, last))


def cvat_mask(root: Path, *, count: int = 4) -> Path:
    """Segmentation masks 1.1 with photos."""
    palette = np.array([TABLE.colours[index] for index in range(3)], np.uint8)
    for seed in range(count):
        ids = ids_of(seed, ignore=False)
        save(root / "JPEGImages" / f"p{seed}.png", photo_of(seed))
        save(root / "SegmentationClass" / f"p{seed}.png", palette[ids])
        save(root / "SegmentationObject" / f"p{seed}.png", palette[ids])
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "default.txt").write_text("".join(f"p{seed}\n" for seed in range(count)))
    lines = [f"{name}:{','.join(map(str, colour))}::\n" for name, colour in COLOURS.items()]
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "".join(lines))
    return root
