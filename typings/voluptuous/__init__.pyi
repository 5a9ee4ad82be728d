# Home Assistant serves probatio under this name, so it is what the checker has to see.
from probatio import *  # noqa: F403
