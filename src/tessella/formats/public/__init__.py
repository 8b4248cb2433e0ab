"""Public data sets of other fields whose layouts and class tables are published: scenes, aerial photos, medicine."""
