"""The control API below `/control/`, for tests, scripts and the web page."""
