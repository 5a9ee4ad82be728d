"""The texts of the integration in other languages: where they come from, and what has to hold of them.

It needs nothing but Python, so that the workflow of a release has nothing to install.
"""
