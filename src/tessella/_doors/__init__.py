"""The Python door: one function per verb, each a few lines over the rooms; `import tessella` offers them lazily."""
