"""Tests of the page that a person sees."""
