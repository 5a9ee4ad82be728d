"""Several devices combined into one."""
