"""Tests of the plant: several devices as one."""
