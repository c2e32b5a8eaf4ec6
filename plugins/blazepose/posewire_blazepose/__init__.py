"""BlazePose (Bazarevsky et al. 2020, arXiv 2006.10204) as a Posewire plugin: the default method."""
