/* placeholder */
#include "fold_private.h"
