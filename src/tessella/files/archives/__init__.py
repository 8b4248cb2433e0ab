"""Archives as data sets: zip and tar, judged member by member, unpacked once into the user's cache."""

from tessella.files.archives.cache import as_given, is_archive, opened
from tessella.files.archives.unpacking import unpack

__all__ = ["as_given", "is_archive", "opened", "unpack"]
