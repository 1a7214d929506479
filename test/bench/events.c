/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - what libyaml alone takes for the files whose names come on standard input: each is
 * parsed to its events, and nothing is kept of them. No program that uses libyaml can be faster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static unsigned long files, bytes, documents, errors;

/* The whole file, or NULL; its bytes in `len`. */
static unsigned char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    unsigned char *text = NULL;
    long size;

    if (f == NULL)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        text = malloc((size_t)size + 1);
        *len = text != NULL ? fread(text, 1, (size_t)size, f) : 0;
    }
    fclose(f);
    return text;
}

static void parse(const unsigned char *text, size_t len)
{
    yaml_parser_t parser;
    yaml_event_t event;
    yaml_event_type_t type = YAML_NO_EVENT;

    if (!yaml_parser_initialize(&parser))
        exit(3);
    yaml_parser_set_input_string(&parser, text, len);
    while (type != YAML_STREAM_END_EVENT) {
        if (!yaml_parser_parse(&parser, &event)) {
            errors++;
            break;
        }
        type = event.type;
        documents += type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

int main(void)
{
    char path[4096];

    while (fgets(path, sizeof path, stdin) != NULL) {
        size_t len = 0;
        unsigned char *text;

        path[strcspn(path, "\n")] = '\0';
        text = read_file(path, &len);
        if (text == NULL) {
            fprintf(stderr, "events: cannot read %s\n", path);
            return 3;
        }
        parse(text, len);
        free(text);
        files++;
        bytes += len;
    }
    printf("%lu files, %lu bytes, %lu documents, %lu errors\n", files, bytes, documents, errors);
    return 0;
}
