"""Pictures of fitted estimators, in the manner of scikit-learn's Display objects.

Each is imported when it is first used, so that saving a figure doesn't wait for them all.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
