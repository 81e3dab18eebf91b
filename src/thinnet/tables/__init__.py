"""Tables: files and data frames, their columns, and networks upon them.

Estimators of mixed tables, the encoder that makes numbers of their columns, and a report of a
model's least certain rows; `reading` reads and writes table files.  Each name is imported when it
is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
