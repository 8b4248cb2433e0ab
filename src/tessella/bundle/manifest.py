"""The manifest of a bundle: every file with its size and SHA-256, and a digest that protects the list itself."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tessella._version import __version__
from tessella.core.errors import BundleError, FormatError
from tessella.files.hashes import sha256_file
from tessella.files.text import read_json
from tessella.files.write import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST: Final = "manifest.json"
KIND: Final = "tessella-bundle"
FORMAT_VERSION: Final = 1
"""Raised when a bundle can no longer be read by the version before."""

DAMAGED_FIX: Final = "copy the bundle again from where it was made, or train it again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a bundle: its SHA-256 as 64 hexadecimal digits, and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lies in a bundle.

    Args:
        tessella: The version that wrote the bundle.
        files: Every file but the manifest, by name.
        provenance: Where the model comes from: data, seed, machine, time; free JSON.
        format_version: See `FORMAT_VERSION`.
    """

    tessella: str
    files: Mapping[str, Entry]
    provenance: Mapping[str, Any]
    format_version: int = FORMAT_VERSION

    def content(self) -> dict[str, Any]:
        """Return the manifest as JSON without its digest."""
        return {
            "kind": KIND,
            "format_version": self.format_version,
            "tessella": self.tessella,
            "provenance": dict(self.provenance),
            "files": {name: {"sha256": entry.sha256, "bytes": entry.bytes} for name, entry in self.files.items()},
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical content: the name by which this very bundle is known."""
        return digest_of(self.content())

    def to_bytes(self) -> bytes:
        """Return the one spelling in which a manifest is stored."""
        text = json.dumps(self.content() | {"digest": self.digest}, indent=2, sort_keys=True, ensure_ascii=False)
        return (text + "\n").encode()


def digest_of(content: Mapping[str, Any]) -> str:
    """Hash JSON in its canonical spelling: sorted keys, no spaces, UTF-8, without the key `digest`.

    This rule holds for every format version, so that a newer bundle can be told from a damaged one.
    """
    rest = {key: value for key, value in content.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(folder: Path, provenance: Mapping[str, Any]) -> Manifest:
    """Hash every file of a finished folder and write its manifest.

    Args:
        folder: Holds the files of the bundle and nothing else.
        provenance: Free JSON.
    """
    files = {
        path.name: Entry(sha256_file(path), path.stat().st_size)
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    manifest = Manifest(__version__, files, _as_json(provenance))
    write_bytes(folder / MANIFEST, manifest.to_bytes())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest alone.

    Raises:
        BundleError: The folder is no bundle, its manifest is damaged, or a newer version wrote it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(
            "this is not a bundle", where=folder, expected=f"a folder with {MANIFEST}", fix=_nearby(folder)
        )
    try:
        content = read_json(path)
    except FormatError as error:
        raise _damaged(path, str(error.what)) from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise _damaged(path, f"it does not say kind {KIND!r}")
    if content.get("digest") != digest_of(content):
        raise _damaged(path, "its content does not match its digest")
    if content.get("format_version") != FORMAT_VERSION:
        raise _other_version(path, content)
    try:
        files = {name: Entry(str(entry["sha256"]), int(entry["bytes"])) for name, entry in content["files"].items()}
        manifest = Manifest(str(content["tessella"]), files, dict(content["provenance"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"a key is missing or has the wrong type ({error})") from error
    if path.read_bytes() != manifest.to_bytes():
        raise _damaged(path, "it is not spelt as it was written")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Check that the folder holds exactly the files of its manifest, byte for byte.

    Raises:
        BundleError: A file is missing, extra, not a plain file, or differs; the message names it.
    """
    found = {path.name: path for path in folder.iterdir() if path.name != MANIFEST}
    if missing := sorted(set(manifest.files) - set(found)):
        raise BundleError("a file of the bundle is missing", where=folder / missing[0], fix=DAMAGED_FIX)
    if extra := sorted(set(found) - set(manifest.files)):
        raise BundleError(
            "this file does not belong to the bundle",
            where=found[extra[0]],
            fix="move it out of the folder; a bundle holds nothing but what its manifest lists",
        )
    for name, entry in manifest.files.items():
        _verify_file(found[name], entry)


def _verify_file(path: Path, entry: Entry) -> None:
    # lstat: a link would verify here and be broken, or lead elsewhere, once the bundle is copied
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise BundleError("this is a link or a folder, not a plain file", where=path, fix=DAMAGED_FIX)
    if status.st_size != entry.bytes:
        raise BundleError(
            "the file has another size than when the bundle was sealed",
            where=path,
            got=f"{status.st_size} bytes",
            expected=f"{entry.bytes} bytes",
            fix=DAMAGED_FIX,
        )
    check_digest(path, sha256_file(path), entry)


def check_digest(path: Path, sha256: str, entry: Entry) -> None:
    """Compare the SHA-256 of a file with its manifest entry.

    Raises:
        BundleError: They differ.
    """
    if sha256 != entry.sha256:
        raise BundleError(
            "the file was changed after the bundle was sealed",
            where=path,
            got=f"SHA-256 {sha256[:16]}…",
            expected=f"{entry.sha256[:16]}…",
            fix=DAMAGED_FIX,
        )


def _damaged(path: Path, why: str) -> BundleError:
    return BundleError(f"the manifest is damaged: {why}", where=path, fix=DAMAGED_FIX)


def _other_version(path: Path, content: Mapping[str, Any]) -> BundleError:
    written_by = content.get("tessella", "unknown")
    return BundleError(
        f"the bundle was written by Tessella {written_by}, in a format that this version does not read",
        where=path,
        got=f"format version {content.get('format_version')}",
        expected=f"{FORMAT_VERSION} (this is Tessella {__version__})",
        fix=f"run: pip install -U 'tessella>={written_by}'",
    )


def _nearby(folder: Path) -> str:
    if (folder / "bundle" / MANIFEST).is_file():
        return f"the bundle of this run is {folder / 'bundle'}"
    return "name the folder that `tessella train` wrote as RUN/bundle, or an exported .onnx file"


def _as_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """Take a copy as JSON reads it back (tuples become lists), so that the digest is that of the file."""
    try:
        copy: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BundleError("the provenance is not plain JSON", got=str(error)) from error
    return copy
