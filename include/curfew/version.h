/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - what `curfew --version`, /version and curfew_build_info say. */
#ifndef CURFEW_VERSION_H
#define CURFEW_VERSION_H

const char *cf_version(void);  /* "0.1.0", from the file VERSION */
const char *cf_revision(void); /* the git commit it was built from, or "unknown" */

#endif
