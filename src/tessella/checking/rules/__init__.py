"""The table of rules: one row per code, in the order in which findings are listed and repairs are made."""

from __future__ import annotations

from typing import Final

from tessella.checking.measures.line_endings import undo
from tessella.checking.rule import Rule
from tessella.checking.rules import align, files, noise, pairs, pictures, sizes, turned
from tessella.checking.rules.labels import names, palettes, shifts, values
from tessella.checking.rules.sets import classes, lookalikes, photos, scenes, tables, tiles
from tessella.checking.rules.shapes import geometry, outlines

RULES: Final[dict[str, Rule]] = {
    rule.code: rule
    for rule in (
        Rule("F101", "error", "a file cannot be read", files.unreadable, sets_aside="always"),
        Rule("F102", "error", "a picture file without its end", files.ends_early, sets_aside="always"),
        Rule(
            "F103",
            "warning",
            "a picture of another kind than its name says",
            files.misnamed,
            repair=files.write_as_named,
        ),
        Rule(
            "F104", "error", "a PNG with changed line ends", files.broken_line_ends, rebuild=undo, sets_aside="always"
        ),
        Rule("F105", "error", "a pointer or a web page instead of a picture", files.placeholder, sets_aside="always"),
        Rule("F106", "error", "a picture beyond the pixel budget", files.too_large, sets_aside="always"),
        Rule("F107", "warning", "a photo in printing colours (CMYK)", pictures.cmyk),
        Rule("F108", "warning", "several pictures in one file", pictures.several_pictures),
        Rule(
            "F109", "error", "a mask with an EXIF turn of its own", pictures.mask_with_turn, repair=pictures.settle_turn
        ),
        Rule("F110", "warning", "masks of 16 bits", survey=pictures.wide_masks),
        Rule("F111", "warning", "transparency that may mean something", pictures.transparent_mask),
        Rule("F112", "warning", "photos with different bands", survey=pictures.mixed_bands),
        Rule("P103", "error", "names that differ by case", survey=pairs.differs_by_case, rename=pairs.rename_label),
        Rule("P104", "error", "names in two Unicode forms", survey=pairs.differs_by_form, rename=pairs.rename_label),
        Rule("P105", "warning", "names that are one slip apart", survey=pairs.nearly_named),
        Rule("P101", "warning", "a photo without a label", survey=pairs.photo_without_label),
        Rule("P102", "error", "a label without a photo", survey=pairs.label_without_photo, sets_aside="always"),
        Rule("P106", "warning", "two photos with one label", survey=pairs.shared_label),
        Rule("P107", "warning", "names that are one on other systems", survey=pairs.colliding_names),
        Rule(
            "A101",
            "error",
            "the label does not follow the photo's EXIF turn",
            turned.turned_label,
            repair=turned.turn_label,
        ),
        Rule(
            "S101", "error", "the label has another size than the photo", sizes.size_mismatch, repair=sizes.match_size
        ),
        Rule("S102", "error", "height and width are exchanged", sizes.sideways),
        Rule("S103", "error", "a mask that is off by a pixel or two", sizes.slightly_off),
        Rule("A102", "warning", "masks that seem flipped or turned", survey=align.flipped),
        Rule("A103", "warning", "masks that seem shifted", survey=align.shifted),
        Rule("L106", "error", "ids that count from 1", survey=shifts.one_based),
        Rule("L107", "error", "ids that seem shifted by one", survey=shifts.shifted),
        Rule("L113", "error", "ids that became brightness", survey=palettes.luma_of_palette),
        Rule("L101", "error", "values that are in no class", values.stray_values),
        Rule(
            "L102",
            "error",
            "an RGB mask where ids are expected",
            values.colours_for_ids,
            repair=values.ids_from_colours,
        ),
        Rule("L103", "error", "an anti-aliased mask", values.blurred_mask, repair=values.snap_strays),
        Rule("L104", "error", "a JPEG-compressed mask", values.compressed_mask, repair=values.snap_strays),
        Rule("L114", "error", "colours that are off by a few", palettes.slightly_off, repair=palettes.snap_slight),
        Rule(
            "L105",
            "error",
            "a 0/255 mask whose 255 means ignore",
            survey=values.binary_as_ignore,
            repair=values.foreground_from_255,
        ),
        Rule("L108", "warning", "a mask whose two classes may be exchanged", survey=shifts.turned_round),
        Rule("L109", "warning", "a background that seems to be the foreground", survey=shifts.polarity),
        Rule("L110", "error", "an unknown label name", names.unknown_name, repair=names.rename_shapes),
        Rule("L111", "warning", "two label names that differ by one letter", survey=names.twin_names),
        Rule("L112", "warning", "a discovered value that hardly occurs", survey=values.rare_value),
        Rule("L115", "warning", "two values in one colour", survey=palettes.twin_colours),
        Rule("L116", "warning", "a palette that contradicts the class table", survey=palettes.other_colours),
        Rule("L117", "warning", "masks with palettes that contradict each other", survey=palettes.palettes_contradict),
        Rule("L118", "warning", "numbers of objects where classes are expected", survey=shifts.instance_numbers),
        Rule(
            "G103",
            "error",
            "a coordinate that is not a number",
            geometry.not_finite,
            repair=geometry.drop_broken_points,
        ),
        Rule(
            "G102", "error", "a shape with too few points", geometry.too_few_points, repair=geometry.drop_short_shapes
        ),
        Rule("G101", "error", "a shape beyond the photo", geometry.outside, repair=geometry.clip_shapes),
        Rule("G105", "warning", "a shape without area", outlines.covers_nothing, repair=outlines.drop_empty),
        Rule("G107", "warning", "a shape that is drawn twice", outlines.drawn_twice, repair=outlines.drop_twins),
        Rule("G104", "warning", "an outline that crosses itself", outlines.crosses_itself),
        Rule("G106", "info", "an outline that leaps", outlines.leaps),
        Rule("G108", "warning", "one outline under two labels", outlines.two_labels),
        Rule("G109", "warning", "a photo of another size in bytes", sizes.other_bytes),
        Rule("C105", "warning", "two classes of nearly one name", survey=tables.alike_names),
        Rule("C106", "warning", "a class that is only a heading", survey=tables.root_class),
        Rule("C101", "warning", "a class that never occurs", survey=classes.never_occurs),
        Rule("C102", "warning", "a class in one split only", survey=classes.only_in_one_split),
        Rule("C103", "warning", "a label that is all ignore", survey=classes.all_ignore),
        Rule("C104", "warning", "a label with a single class", survey=classes.all_one_class),
        Rule("C107", "info", "a class in one photo only", survey=tables.in_one_photo),
        Rule("C108", "warning", "a set that is nearly all ignore", survey=tables.mostly_ignored),
        Rule("C109", "info", "a set of mostly empty labels", survey=tables.mostly_empty),
        Rule("C110", "info", "rare classes", survey=classes.imbalance),
        Rule("D101", "warning", "identical photos", survey=photos.identical, sets_aside="fixable"),
        Rule("D102", "error", "identical photos across splits", survey=photos.leaked, sets_aside="fixable"),
        Rule("D103", "info", "nearly identical photos", survey=lookalikes.near_identical),
        Rule("D104", "warning", "nearly identical photos across splits", survey=lookalikes.near_leaked),
        Rule("D105", "warning", "changed copies of a photo", survey=lookalikes.changed_copies),
        Rule("D106", "warning", "frames of one video across splits", survey=scenes.frames_across_splits),
        Rule("D107", "warning", "overlapping tiles across splits", survey=tiles.tiles_across_splits),
        Rule("N101", "info", "a mask with many specks", survey=noise.specks),
        Rule("N102", "info", "a mask with many tiny holes", survey=noise.holes),
        Rule("N103", "info", "masks made of blocks", survey=noise.blocky),
        Rule("N104", "info", "ragged borders", survey=noise.ragged),
        Rule("N105", "warning", "annotators who disagree", survey=noise.annotators_disagree),
    )
}
