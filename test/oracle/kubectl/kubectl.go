// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// document is what one side made of a document: a value, or why it is refused.
type document struct {
	value any
	text  string // of the value
	err   string
}

// reading is the result of kubectl for a file.
type reading struct {
	file   []byte // as UTF-8
	marked bool   // with a byte order mark of UTF-8: invalid bytes are kept
	docs   []document
	ended  bool // an error in JSON, after which kubectl stops
}

func (d *document) String() string {
	switch {
	case d == nil:
		return "missing"
	case d.err != "":
		return "rejected: " + d.err
	}
	return d.text
}

// kubectl reads a file as kubectl does (cli-runtime's FileVisitor and StreamVisitor), and continues
// after an invalid document, where kubectl stops.
func kubectl(name string) (r reading, err error) {
	file, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	utf8 := transform.NewReader(bytes.NewReader(file), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	if r.file, err = io.ReadAll(utf8); err != nil {
		return r, err
	}
	r.marked = bytes.HasPrefix(file, []byte("\ufeff"))
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(r.file), 4096)
	for len(r.docs) <= len(r.file) {
		ext := runtime.RawExtension{}
		err := decoder.Decode(&ext)
		switch raw := bytes.TrimSpace(ext.Raw); {
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil && strings.HasPrefix(err.Error(), "decoding failed as both"):
			r.ended = true
			return r, nil
		case err != nil:
			r.docs = append(r.docs, document{err: err.Error()})
			var broken yaml.JSONSyntaxError
			var stuck *json.SyntaxError
			r.ended = r.ended || errors.As(err, &broken)
			if errors.As(err, &stuck) || errors.Is(err, io.ErrUnexpectedEOF) {
				r.ended = true // it would repeat the same error
				return r, nil
			}
		case len(raw) > 0 && !bytes.Equal(raw, []byte("null")):
			r.docs = append(r.docs, parse(raw))
		}
	}
	return r, fmt.Errorf("%s: more documents than bytes", name)
}

// parse returns a value with numbers as they are written.
func parse(text []byte) document {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return document{err: fmt.Sprintf("not JSON: %v", err)}
	}
	return document{value: withoutNUL(value), text: string(text)}
}

// withoutNUL replaces U+0000, which strings in Curfew cannot contain, by U+FFFD: the only change
// before the comparison.
func withoutNUL(value any) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "\uFFFD")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		for key, member := range v {
			delete(v, key)
			v[strings.ReplaceAll(key, "\x00", "\uFFFD")] = withoutNUL(member)
		}
	}
	return value
}

func equal(a, b any) bool {
	return reflect.DeepEqual(a, b)
}
