"""What every page is made of: markup that escapes, the frame of a file, the parts and the style that pages share."""
