// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"io"
	"regexp"

	goyaml "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// A difference that README.md lists with its reason.
type difference struct {
	name         string
	ours, theirs string // patterns of the errors of Curfew and kubectl; empty: that side has no error
	file         string // a pattern of the file; empty: any file
	second       bool   // a part of the file has more than one YAML document, or text after the first
	last         bool   // the following documents cannot be compared
}

var differences = []difference{
	{name: "separator", file: `(?m)^---[ \t]*[^ \t\r\n#]|^\x{FEFF}?---#`, last: true},
	{name: "separator-after-json", theirs: `invalid character '-' in numeric literal`, last: true},
	{name: "separator-after-cr", file: `\r---|---[^\n]*\r[^\n]`, last: true},
	{name: "duplicate-key", ours: `duplicate key '`},
	{name: "ceiling", ours: `nested deeper than \d+|more than \d+ (values|MiB|%TAG)`},
	{name: "second-document", ours: `.`, second: true, last: true},
	{name: "flow-tag", ours: `a comma directly after a tag|while (scanning|parsing) a tag`},
	{name: "overwritten", ours: `infinity and not-a-number|a key that is (null|a number above)`},
	{name: "question-mark", theirs: `did not find expected ',' or '[\]}]'|json: offset`,
		file: `\?`},
	{name: "escaped-slash", theirs: `found unknown escape character|json: offset`, file: `\\/`},
	{name: "directive", theirs: `expected <document start>|incompatible YAML document|directive|non-alphabetical`,
		file: `(^|[\n\r\x{85}\x{2028}\x{2029}])\x{FEFF}?%`, last: true},
	{name: "broken-utf8", theirs: `UTF-8|Unicode character|json: offset`, file: `\x{FFFD}`},
	{name: "yaml-after-json", ours: `invalid JSON: expected a value`, file: `^\x{FEFF}?\s*{`, last: true},
	{name: "end-marker", theirs: `did not find expected node content|invalid character '\.'`, file: `(?m)^\.\.\.`, last: true},
	{name: "tab-comment", theirs: `cannot start any token`, file: `(?m)^ *\t[ \t]*(#|$)`, last: true},
	{name: "inner-mark", file: `[\n\r]\x{FEFF}`, last: true},
}

func init() {
	for _, d := range differences {
		for _, pattern := range []string{d.ours, d.theirs, d.file} {
			patterns[pattern] = regexp.MustCompile(pattern)
		}
	}
}

var patterns = map[string]*regexp.Regexp{}

func matches(pattern string, d *document) bool {
	if pattern == "" {
		return d == nil || d.err == ""
	}
	return d != nil && d.err != "" && patterns[pattern].MatchString(d.err)
}

// allowed returns the kind of the difference, or nil if README.md does not list it.
func allowed(theirs, ours *document, file []byte) *difference {
	for i := range differences {
		d := &differences[i]
		if d.last && d.theirs == "" && d.ours == "" || matches(d.ours, ours) && matches(d.theirs, theirs) ||
			d.last && d.theirs != "" && matches(d.theirs, theirs) {
			if (d.file == "" || patterns[d.file].Match(file)) && (!d.second || hasSecond(file)) {
				return d
			}
		}
	}
	return nil
}

// hasSecond reports whether there is text after the first YAML document between two separators: a
// document after "...", or text that go-yaml never reads. kubectl ignores it silently.
func hasSecond(file []byte) bool {
	parts := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(file)))
	for {
		part, err := parts.Read()
		if err == io.EOF && len(part) == 0 {
			return false
		}
		if err != nil && err != io.EOF {
			return false
		}
		var value any
		decoder := goyaml.NewDecoder(bytes.NewReader(part))
		if decoder.Decode(&value) == nil && decoder.Decode(&value) != io.EOF {
			return true
		}
	}
}
