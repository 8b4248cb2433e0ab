"""Runtime models made from a bundle, each proved against it before it is written."""
