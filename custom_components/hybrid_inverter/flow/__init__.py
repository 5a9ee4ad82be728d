"""The dialogs: how links, inverters, meters and plants are added, changed and set."""
