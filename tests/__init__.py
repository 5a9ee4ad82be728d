"""Tests of the integration, its device layer and its simulator."""
