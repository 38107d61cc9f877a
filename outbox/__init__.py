"""Deliver every issue to every confirmed subscriber exactly once, and keep the proof."""
