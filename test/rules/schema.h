/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - the schema of the options of all rules. */
#ifndef CURFEW_TEST_RULES_SCHEMA_H
#define CURFEW_TEST_RULES_SCHEMA_H

/* Prints it in parts, each after a line "## NAME". */
void print_schema(void);

#endif
