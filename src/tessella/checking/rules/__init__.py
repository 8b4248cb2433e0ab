"""The table of rules: one row per code, in the order in which findings are listed and repairs are made."""

from __future__ import annotations

from typing import Final

from tessella.checking.rule import Rule
from tessella.checking.rules import files, pairs, sizes, turned
from tessella.checking.rules.labels import names, values
from tessella.checking.rules.sets import classes, photos
from tessella.checking.rules.shapes import geometry

RULES: Final[dict[str, Rule]] = {
    rule.code: rule
    for rule in (
        Rule("F101", "error", "a file cannot be read", look=files.unreadable, sets_aside=True),
        Rule("P101", "warning", "a photo without a label", look=pairs.photo_without_label),
        Rule("P102", "error", "a label without a photo", survey=pairs.label_without_photo, sets_aside=True),
        Rule(
            "A101",
            "error",
            "the label does not follow the photo's EXIF turn",
            look=turned.turned_label,
            repair=turned.turn_label,
        ),
        Rule(
            "S101",
            "error",
            "the label has another size than the photo",
            look=sizes.size_mismatch,
            repair=sizes.match_size,
        ),
        Rule("L101", "error", "values that are in no class", look=values.stray_values),
        Rule(
            "L102",
            "error",
            "an RGB mask where ids are expected",
            look=values.colours_for_ids,
            repair=values.ids_from_colours,
        ),
        Rule("L103", "error", "an anti-aliased mask", look=values.blurred_mask, repair=values.snap_strays),
        Rule("L104", "error", "a JPEG-compressed mask", look=values.compressed_mask, repair=values.snap_strays),
        Rule(
            "L105",
            "error",
            "a 0/255 mask whose 255 means ignore",
            survey=values.binary_as_ignore,
            repair=values.foreground_from_255,
        ),
        Rule("L110", "error", "an unknown label name", look=names.unknown_name, repair=names.rename_shapes),
        Rule("L111", "warning", "two label names that differ by one letter", survey=names.twin_names),
        Rule("L112", "warning", "a discovered value that hardly occurs", survey=values.rare_value),
        Rule(
            "G103",
            "error",
            "a coordinate that is not a number",
            look=geometry.not_finite,
            repair=geometry.drop_broken_points,
        ),
        Rule(
            "G102",
            "error",
            "a shape with too few points",
            look=geometry.too_few_points,
            repair=geometry.drop_short_shapes,
        ),
        Rule("G101", "error", "a shape beyond the photo", look=geometry.outside, repair=geometry.clip_shapes),
        Rule("C101", "warning", "a class that never occurs", survey=classes.never_occurs),
        Rule("C102", "warning", "a class in one split only", survey=classes.only_in_one_split),
        Rule("C103", "warning", "a label that is all ignore", survey=classes.all_ignore),
        Rule("C104", "warning", "a label with a single class", survey=classes.all_one_class),
        Rule("C110", "info", "rare classes", survey=classes.imbalance),
        Rule("D101", "warning", "identical photos", survey=photos.identical, sets_aside=True),
        Rule("D102", "error", "identical photos across splits", survey=photos.leaked, sets_aside=True),
    )
}
