"""How folders of masks are laid out, and what their values mean where nothing states it."""
