"""The plugin contract: everything a backend or meter author needs, and nothing else.

The modules are imported one by one, because each costs what it imports:

==================  =====  ======================================================
module              level  holds
==================  =====  ======================================================
``audit``           L1     how a backend accounts for its engine's parameters
``capability``      L1     what a backend declares it can do
``errors``          L1     the error tree, with codes, exit codes and hints
``finding``         L1     one remark about an experiment, before or after it ran
``hookspecs``       L1     the hooks themselves, and the ``hookimpl`` marker
``imports``         L1     reading the results of other tools
``meter``           L1     sources of energy and power readings
``plan``            L1     engine calls as data
``session``         L1     what runs inside the worker process
``architecture``    L1     a decoder's dimensions, from its ``config.json``
``config``          L2     pydantic models of an experiment
``outcome``         L2     pydantic models of what was measured
``processes``       L3     memory of all the processes an engine is made of
==================  =====  ======================================================

L1 modules need the standard library and pluggy only; L2 modules add pydantic, L3 modules psutil.
"""

API_MAJOR = 1
"""Major version of the contract; the entry-point group carries it."""

ENTRY_POINT_GROUP = f"llem.plugins.v{API_MAJOR}"
"""Entry-point group in which plugins of this contract register."""
