/* SPDX-License-Identifier: Apache-2.0 */
#include "curfew/version.h"

const char *cf_version(void)
{
    return CF_VERSION;
}

const char *cf_revision(void)
{
    return CF_REVISION;
}
