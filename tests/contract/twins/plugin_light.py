"""A listing has to import a library for it."""

import markupsafe

from twins.healthy import *

SUMMARY = markupsafe.escape(INFO.summary)
