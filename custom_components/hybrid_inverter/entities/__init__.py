"""What the platforms share: entity classes, descriptions, and which entities exist."""
