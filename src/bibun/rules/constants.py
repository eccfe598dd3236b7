"""Functions whose derivative is zero, said aloud. (being built)"""

import numpy as np

from ..core.rule import constant

constant(np.greater, np.less, np.equal, np.not_equal, np.greater_equal, np.less_equal, np.sign, np.floor, np.isnan)
