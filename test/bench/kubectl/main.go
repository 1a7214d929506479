// SPDX-License-Identifier: Apache-2.0

// What kubectl does with the files whose names come on standard input, before it sends anything: it
// reads documents with the decoder of apimachinery and makes each an unstructured object.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

var files, documents, failed int

func read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(f, 4096)
	for {
		raw := runtime.RawExtension{}
		if err := decoder.Decode(&raw); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		documents++
		if _, _, err := unstructured.UnstructuredJSONScheme.Decode(raw.Raw, nil, nil); err != nil {
			failed++ // it has no kind, say
		}
	}
}

func main() {
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		files++
		if err := read(names.Text()); err != nil {
			failed++
		}
	}
	fmt.Printf("%d files, %d documents, %d errors\n", files, documents, failed)
}
