"""Pages: parse, call a service, render."""
