"""Bytes on a link: endpoints, turns, requests, answers, statistics."""
