"""Files of annotation tools that people run themselves, and what all exports of tools and platforms share."""
