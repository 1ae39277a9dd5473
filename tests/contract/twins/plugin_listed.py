"""It was made for another version of the contract; the test installs it so."""

from twins.healthy import *
