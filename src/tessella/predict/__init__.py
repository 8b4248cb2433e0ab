"""From a bundle or an exported file and a photo of any size to class ids of every pixel."""
