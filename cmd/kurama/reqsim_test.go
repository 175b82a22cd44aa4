package main

import (
	"testing"

	"kurama/sdk/reqsim"
)

func TestAPathOfReqsimMayHaveAWeight(t *testing.T) {
	f := func(text, path string, weight int) {
		t.Helper()
		got, err := weightedPath(text)
		if err != nil || got != (reqsim.Path{Path: path, Weight: weight}) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	f("/", "/", 1)
	f("/=6", "/", 6)
	f("/slow?ms=80", "/slow?ms=80", 1)
	f("/slow?ms=80=2", "/slow?ms=80", 2)
	f("/a?b=1&c=x", "/a?b=1&c=x", 1)
	f("/a?b=1&c=x=3", "/a?b=1&c=x", 3)
	f("/a=b", "/a=b", 1)
	for _, text := range []string{"", "x", "/=0", "/=-1", "=2"} {
		if got, err := weightedPath(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

func TestReqsimFindsItsTarget(t *testing.T) {
	f := func(flags reqsimFlags, router, want string) {
		t.Helper()
		got, err := flags.target(router)
		if err != nil || got != want {
			t.Errorf("%+v gives %q, %v; not %q", flags, got, err, want)
		}
	}
	f(reqsimFlags{app: "hello", tenant: "default"}, "", "http://hello.localhost:8080")
	f(reqsimFlags{app: "hello", tenant: "acme"}, "", "http://hello.acme.localhost:8080")
	f(reqsimFlags{app: "hello", tenant: "default"}, "http://localhost:9090", "http://hello.localhost:9090")
	f(reqsimFlags{app: "hello", tenant: "default"}, "https://apps.example", "https://hello.apps.example")
	f(reqsimFlags{url: "http://127.0.0.1:1/x"}, "", "http://127.0.0.1:1/x")
	if _, err := (&reqsimFlags{}).target(""); err == nil {
		t.Error("neither app nor address is accepted")
	}
	if _, err := (&reqsimFlags{app: "Not A Name"}).target(""); err == nil {
		t.Error("a name that cannot be is accepted")
	}
}
