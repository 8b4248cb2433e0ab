"""Files that mean harm, or only something else than they seem: refused by name before they cost time or memory."""

import io
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from data.bombs import chunk, png, tiff
from tessella.core.errors import FormatError, ImageError, InputError
from tessella.files import images
from tessella.files.images import read_header, read_hw, read_image
from tessella.files.masks import read_mask
from tessella.files.paths import contain, is_file, walk
from tessella.files.sections import read_sections
from tessella.files.text import parse_json, read_bytes, read_csv, read_json, read_text, read_text_lines, read_toml
from tessella.files.xml import parse_xml, read_xml

RNG = np.random.default_rng(0)
INKS = np.kron(RNG.integers(0, 256, (4, 5, 4)), np.ones((8, 8, 1))).astype(np.uint8)


def in_full(read: Callable[[Path], Iterator[object]]) -> Callable[[Path], object]:
    return lambda path: list(read(path))


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# ---- colours that would be taken for RGB


def test_a_cmyk_jpeg_is_a_photo_in_rgb_and_no_mask(tmp_path):
    path = tmp_path / "a.jpg"
    Pillow.fromarray(INKS, "CMYK").save(path, quality=95)
    with Pillow.open(path) as picture:
        expected = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(read_image(path).pixels - expected).max() <= 2
    with pytest.raises(ImageError, match="cannot hold class ids; got mode CMYK"):
        read_mask(path)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_cmyk_tiff_is_a_photo_in_rgb(planar, dtype, tmp_path):
    inks = INKS.astype(dtype) * (257 if dtype is np.uint16 else 1)
    stored = inks if planar == "contig" else np.moveaxis(inks, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="separated", planarconfig=planar)
    pixels = read_image(tmp_path / "a.tif").pixels
    expected = np.asarray(Pillow.fromarray(INKS, "CMYK").convert("RGB")).astype(int)
    assert pixels.dtype == dtype
    assert pixels.shape == (32, 40, 3)
    assert np.abs(pixels / (257 if dtype is np.uint16 else 1) - expected).max() <= 1


def test_a_tiff_of_five_inks_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4, 5), np.uint8), photometric="separated", planarconfig="contig")
    with pytest.raises(ImageError, match="inks that are not cyan, magenta, yellow and black"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(("photometric", "name"), [(8, "CIELab"), (9, "ICCLab"), (6, "YCbCr"), (32845, "LogLuv")])
def test_a_tiff_in_other_colours_is_refused_with_the_cause(photometric, name, tmp_path):
    data = tiff({262: (3, 1, photometric), 277: (3, 1, 1)})
    with pytest.raises(ImageError, match=f"stored as {name}, which would be taken for RGB"):
        read_image(saved(tmp_path / "a.tif", data))


# ---- pictures that are larger than they seem


def test_a_tiff_names_no_further_file_to_be_opened(tmp_path):
    size = 'SizeC="1" SizeT="1" SizeX="4" SizeY="4" SizeZ="2" Type="uint8"'
    parts = "".join(
        f'<TiffData IFD="0" FirstZ="{number}"><UUID FileName="{name}.tif">urn:uuid:{number}</UUID></TiffData>'
        for number, name in enumerate(("a", "secret"))
    )
    pixels = f'<Pixels DimensionOrder="XYCZT" ID="Pixels:0" {size}>{parts}</Pixels>'
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    xml = f'<OME xmlns="{space}"><Image ID="Image:0">{pixels}</Image></OME>'
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 7, np.uint8), description=xml, metadata=None)
    tifffile.imwrite(tmp_path / "secret.tif", np.full((4, 4), 9, np.uint8))
    assert read_image(tmp_path / "a.tif").pixels.tolist() == np.full((4, 4, 1), 7).tolist()
    assert read_header(tmp_path / "a.tif").channels == 1


def test_a_chain_of_tiff_pages_that_bites_its_tail_has_an_end(tmp_path):
    data = bytearray(tiff({}))
    struct.pack_into("<I", data, 8 + 2 + 9 * 12, 8)
    assert read_image(saved(tmp_path / "a.tif", bytes(data))).hw == (12, 16)


def test_every_four_bands_count_against_the_budget(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4, 9), np.uint8), photometric="minisblack", planarconfig="contig")
    assert read_image(tmp_path / "a.tif", max_pixels=48).channels == 9
    with pytest.raises(ImageError, match=r"in all its bands; got 4x4 pixels in 9 bands.*--max-pixels 48"):
        read_image(tmp_path / "a.tif", max_pixels=47)


def test_a_file_that_is_too_small_for_its_picture_is_refused_unless_the_user_insists(tmp_path):
    path = saved(tmp_path / "a.png", png(hw=(5000, 5000)))
    for read in (read_image, read_mask, read_hw):
        with pytest.raises(ImageError, match=r"far too small, with \d+ bytes, .*--max-pixels 25000000"):
            read(path)
    assert read_hw(path, max_pixels=25_000_000) == (5000, 5000)


def test_a_large_picture_of_one_colour_is_read(tmp_path):
    Pillow.new("1", (6000, 6000)).save(tmp_path / "a.png")  # 8,000 pixels per byte, the most that PNG can do
    assert read_mask(tmp_path / "a.png").hw == (6000, 6000)


def test_a_jpeg_of_hundreds_of_passes_is_refused(tmp_path):
    stream = io.BytesIO()
    Pillow.fromarray(INKS[..., :3]).save(stream, "JPEG", progressive=True)
    path = saved(tmp_path / "a.jpg", stream.getvalue())
    assert read_image(path).hw == (32, 40)
    start = path.read_bytes().rfind(b"\xff\xda")
    data = path.read_bytes()
    saved(path, data[:start] + data[start:-2] * 250 + data[-2:])
    with pytest.raises(ImageError, match="more passes than any encoder writes"):
        read_image(path)


def test_the_first_picture_of_an_animated_photo_is_read(tmp_path):
    pictures = [Pillow.new("RGB", (5, 4), (value, 0, 0)) for value in (10, 200)]
    for suffix in ("png", "gif", "webp"):
        path = tmp_path / f"a.{suffix}"
        pictures[0].save(path, save_all=True, append_images=pictures[1:], lossless=True)
        assert read_header(path).frames == 2
        assert abs(int(read_image(path).pixels[0, 0, 0]) - 10) <= 4
        with pytest.raises(ImageError, match="animated, and nothing says which of its pictures holds the labels"):
            read_mask(path)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True], ids=["classic", "BigTIFF"])
def test_smaller_copies_and_masks_of_a_tiff_are_no_pictures_of_their_own(tmp_path, order, big):
    pixels = np.random.default_rng(0).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    for kinds, frames in (((0, 1, 1), 1), ((0, 4, 1, 5), 1), ((0, 0, 1, 4), 2), ((0, 2, 2), 3), ((1, 0), 2)):
        with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=order, bigtiff=big) as writer:
            for number, kind in enumerate(kinds):
                page = pixels[::2, ::2] if kind & 1 and number else pixels
                colours = "minisblack" if kind & 4 else "rgb"
                writer.write(
                    page[..., 0] > 99 if kind & 4 else page, subfiletype=kind, photometric=colours, metadata=None
                )
        assert read_header(tmp_path / "a.tif").frames == frames
        if frames == 1:
            np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, pixels)


def test_the_frames_of_a_huge_gif_are_not_counted(tmp_path, monkeypatch):
    pictures = [Pillow.new("L", (5, 4), value) for value in (10, 100, 200)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    assert read_header(tmp_path / "a.gif").frames == 3
    monkeypatch.setattr(images, "_LARGEST_COUNTED", 10)
    assert read_header(tmp_path / "a.gif").frames == 2


def test_a_lack_of_memory_names_the_picture(tmp_path, monkeypatch):
    def starve(*_: object) -> None:
        raise MemoryError

    path = saved(tmp_path / "a.png", png())
    monkeypatch.setattr(cv2, "imdecode", starve)
    with pytest.raises(ImageError, match=r"a\.png: this machine has not enough memory"):
        read_image(path)


def test_text_that_is_packed_into_a_png_is_read_within_limits(tmp_path):
    small = chunk(b"tEXt", b"note\0" + b"x" * 1000)
    assert read_mask(saved(tmp_path / "a.png", png(more=small))).hw == (12, 16)


# ---- text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_without_a_mark_is_named(encoding, tmp_path):
    for read in (read_text, read_json, in_full(read_csv), in_full(read_text_lines), read_toml, read_sections):
        with pytest.raises(FormatError, match=r"a\.txt: this is UTF-16 text, or none; save the file with UTF-8"):
            read(saved(tmp_path / "a.txt", '{"a": 1}'.encode(encoding)))


def test_a_nul_in_text_is_named_with_its_place(tmp_path):
    with pytest.raises(FormatError, match=r"holds a NUL \(character 5\)"):
        read_text(saved(tmp_path / "a.txt", b"names\0more"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    for read in (read_bytes, read_json, read_xml, read_image, read_header):
        with pytest.raises(InputError, match="pipe or a device"):
            read(tmp_path / "a.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_not_listed_and_links_are_unless_they_lead_to_folders(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "dir.json").mkdir()
    saved(tmp_path / "dir.json" / "b.json", b"{}")
    for name, target in (
        ("file", "dir.json/b.json"), ("gone", "nowhere"), ("link", "dir.json"), ("piped", "pipe.json"),
        ("ring", "ring.json"),
    ):  # fmt: skip
        (tmp_path / f"{name}.json").symlink_to(target)
    listed = [path.relative_to(tmp_path).as_posix() for path in walk(tmp_path, {".json"})]
    assert listed == ["dir.json/b.json", "file.json", "gone.json", "ring.json"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1" * 5000, "not valid JSON"),
        ("[" + "1" * 5000 + "]", "not valid JSON"),
        ('{"a": ' * 900 + "1" + "}" * 900, "nested too deeply|not valid JSON"),
        ("[" * 65 + "]" * 65, "nested too deeply"),
        ('"\\ud800', "not valid JSON"),
    ],
)
def test_json_that_would_cost_too_much_is_refused(text, says):
    with pytest.raises(FormatError, match=says):
        parse_json(text, where="x.json")


def test_sixty_four_levels_of_json_and_xml_are_read():
    assert parse_json("[" * 64 + "]" * 64, where="x")
    assert parse_xml(b"<a>" * 64 + b"</a>" * 64, where="x").tag == "a"
    with pytest.raises(FormatError, match="x: line 1: the XML is nested too deeply"):
        parse_xml(b"<a>" * 65 + b"</a>" * 65, where="x")


def test_a_column_that_occurs_twice_is_refused_and_one_without_name_is_not(tmp_path):
    with pytest.raises(FormatError, match="the column 'a' occurs twice"):
        list(read_csv(saved(tmp_path / "a.csv", b"a,b,a\n1,2,3\n")))
    assert list(read_csv(saved(tmp_path / "a.csv", b"a,b,,\n1,2,,\n"))) == [{"a": "1", "b": "2", "": ""}]


def test_a_cell_without_end_is_refused(tmp_path):
    with pytest.raises(FormatError, match="not a CSV table"):
        list(read_csv(saved(tmp_path / "a.csv", b'a,b\n1,"' + b"x\n" * 100_000)))


@pytest.mark.parametrize("text", [b"a = " + b"[" * 5000, b"a = " + b"1" * 5000, b"a.b.c = 1\na.b.c = 2", b"[[[["])
def test_toml_that_cannot_be_parsed_is_one_error(text, tmp_path):
    with pytest.raises(FormatError, match=r"a\.toml: this is not valid TOML"):
        read_toml(saved(tmp_path / "a.toml", text))


# ---- XML


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "line 1: the XML declares a document type"),
        (b'\n<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>', "line 2: the XML declares a document type"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b"", "not valid XML"),
        (b"<a", "not valid XML"),
        (b"<a/><b/>", "not valid XML"),
        (b'<a b="1" b="2"/>', "not valid XML"),
        (b"<a>&x;</a>", "not valid XML"),
        (b"<a>\0</a>", "not valid XML"),
        (b'<?xml version="1.0" encoding="zlib_codec"?><a/>', "not valid XML"),
        (b'<?xml version="1.0" encoding="utf-32"?><a/>', "not valid XML"),
    ],
)
def test_xml_that_hides_something_is_refused(data, says):
    with pytest.raises(FormatError, match=f"^a.xml: .*{says}"):
        parse_xml(data, where="a.xml")


def test_xml_in_other_encodings_is_read():
    for encoding in ("utf-8", "utf-16", "iso-8859-1"):
        data = f'<?xml version="1.0" encoding="{encoding}"?><a b="ü">ö</a>'.encode(encoding)
        root = parse_xml(data, where="x")
        assert (root.get("b"), root.text) == ("ü", "ö")


def test_xml_of_too_many_elements_is_refused(monkeypatch):
    monkeypatch.setattr("tessella.files.xml.ELEMENT_BUDGET", 3)
    assert len(parse_xml(b"<a><b/><b/></a>", where="x")) == 2
    with pytest.raises(FormatError, match="too many elements"):
        parse_xml(b"<a><b/><b/><b/></a>", where="x")


# ---- names


def test_a_name_that_no_file_can_have_is_refused_or_absent(tmp_path):
    for name in ("x" * 256, "ü" * 200, "a/" * 3000, "a\0b"):
        with pytest.raises(InputError, match="outside the data set"):
            contain(tmp_path, name)
        assert not is_file(tmp_path / name)
    assert is_file(saved(tmp_path / "a", b""))


@pytest.mark.parametrize("kind", [b"IDAT", b"IEND"])
def test_a_chunk_that_promises_a_gigabyte_costs_none(kind, tmp_path, monkeypatch):
    data = bytearray(png())
    at = data.find(kind) - 4
    struct.pack_into(">I", data, at, 1 << 30)
    path = saved(tmp_path / "a.png", bytes(data))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("OpenCV takes the memory before it looks"))
    assert read_image(path).hw == (12, 16)  # all pixels are there; Pillow reads them


@pytest.mark.parametrize("bits", [0, 3, 255])
def test_a_png_of_an_impossible_depth_is_one_error(bits, tmp_path):
    data = bytearray(png(hw=(3000, 3000)))
    data[24] = bits
    with pytest.raises(ImageError, match=r"a\.png"):
        read_image(saved(tmp_path / "a.png", bytes(data)))
