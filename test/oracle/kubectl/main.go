// SPDX-License-Identifier: Apache-2.0

// oracle compares what kubectl reads in files with what Curfew reads in them.
//
//	oracle VALUES < FILES
//
// VALUES is the program of values.c; the input has the name of one file a line. Every difference is
// printed with its file and document, unless README.md lists its kind: these are
// counted. The last line sums up; the exit code is 1 when there was a difference.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sort"
	"strings"
)

type tally struct {
	files, documents, values, refused int
	allowed                           map[string]int
	differences                       int
}

// compare prints the differences of one file, document by document.
func (t *tally) compare(name string, theirs reading, ours []document) {
	for i := 0; i < len(theirs.docs) || i < len(ours); i++ {
		var a, b *document
		if i < len(theirs.docs) {
			a = &theirs.docs[i]
		}
		if i < len(ours) {
			b = &ours[i]
		}
		t.documents++
		switch why := allowed(a, b, theirs.file); {
		case a != nil && b != nil && a.err == "" && b.err == "" && equal(a.value, b.value):
			t.values++
		case why != nil && why.last:
			t.allowed[why.name]++
			return
		case a != nil && b != nil && a.err != "" && b.err != "":
			t.refused++
		case a == nil && theirs.ended:
			t.allowed["after-broken-json"]++
			return
		case why != nil:
			t.allowed[why.name]++
		case a != nil && b != nil && a.err == "" && b.err == "" && isOneOf(name, i, b.value):
			t.allowed["random"]++
		default:
			t.differences++
			fmt.Printf("FAIL %s: document %d\n     kubectl: %s\n     curfew:  %s\n", name, i+1, a, b)
			return
		}
	}
}

// isOneOf reports whether kubectl produces that value for the document in one of several tries.
func isOneOf(name string, i int, value any) bool {
	for try := 0; try < 30; try++ {
		again, err := kubectl(name)
		if err == nil && i < len(again.docs) && equal(again.docs[i].value, value) {
			return true
		}
	}
	return false
}

func (t *tally) String() string {
	var names []string
	for name := range t.allowed {
		names = append(names, name)
	}
	sort.Strings(names)
	text := fmt.Sprintf("%d files, %d documents: %d the same, %d that both reject",
		t.files, t.documents, t.values, t.refused)
	for _, name := range names {
		text += fmt.Sprintf(", %d %s", t.allowed[name], name)
	}
	return text + fmt.Sprintf("; %d differences", t.differences)
}

func run(program string, in io.Reader) (*tally, error) {
	t := &tally{allowed: map[string]int{}}
	ours := exec.Command(program)
	ours.Stderr = os.Stderr
	names, err := ours.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := ours.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := ours.Start(); err != nil {
		return nil, err
	}
	answers := bufio.NewReaderSize(output, 1<<20)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		name := lines.Text()
		if _, err := fmt.Fprintln(names, name); err != nil {
			return nil, err
		}
		theirs, err := kubectl(name)
		if err != nil {
			return nil, err
		}
		mine, err := answer(answers, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		t.files++
		t.compare(name, theirs, mine)
	}
	names.Close()
	return t, errors.Join(lines.Err(), ours.Wait())
}

// answer reads the output of values.c for one file.
func answer(r *bufio.Reader, name string) ([]document, error) {
	var docs []document
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		kind, rest, _ := strings.Cut(line, " ")
		switch {
		case first && line == "file "+name:
		case !first && line == "":
			return docs, nil
		case !first && kind == "error":
			docs = append(docs, document{err: rest})
		case !first && kind == "value":
			_, text, _ := strings.Cut(rest, " ")
			docs = append(docs, parse([]byte(text)))
		default:
			return nil, fmt.Errorf("unexpected line %q", line)
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: oracle VALUES < FILES")
		os.Exit(2)
	}
	t, err := run(os.Args[1], os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
	fmt.Println(t)
	if t.differences > 0 {
		os.Exit(1)
	}
}
