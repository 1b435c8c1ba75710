// A stand-in for the services of BookInfo: it answers with its name, version and cluster, who asked, and what its upstreams said.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

type answer struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// Address that the request came from.
	Caller string `json:"caller"`
	// What each upstream said, in the order of UPSTREAMS.
	Upstreams []json.RawMessage `json:"upstreams,omitempty"`
	Error     string            `json:"error,omitempty"`
}

func main() {
	// As a pod's first process it only waits: the pause container needs no program of its own.
	if len(os.Args) > 1 && os.Args[1] == "pause" {
		pause()
		return
	}
	upstreams := strings.FieldsFunc(os.Getenv("UPSTREAMS"), func(r rune) bool { return r == ',' || r == ' ' })
	client := &http.Client{Timeout: 5 * time.Second}
	if len(os.Args) > 1 && os.Args[1] == "bookinfo" {
		log.Fatal(http.ListenAndServe(":9080", bookinfo(client)))
	}
	handler := func(w http.ResponseWriter, r *http.Request) { respond(w, r, client, upstreams) }
	log.Fatal(http.ListenAndServe(":9080", http.HandlerFunc(handler)))
}

func respond(w http.ResponseWriter, r *http.Request, client *http.Client, upstreams []string) {
	caller, _, _ := net.SplitHostPort(r.RemoteAddr)
	said := answer{Name: os.Getenv("NAME"), Version: os.Getenv("VERSION"), Cluster: os.Getenv("CLUSTER"), Caller: caller}
	w.Header().Set("Content-Type", "application/json")
	for _, upstream := range upstreams {
		body, err := ask(r.Context(), client, upstream)
		if err != nil {
			// A failure anywhere below must not look like an answer.
			said.Error = err.Error()
			w.WriteHeader(http.StatusBadGateway)
			break
		}
		said.Upstreams = append(said.Upstreams, body)
	}
	json.NewEncoder(w).Encode(said)
}

func ask(ctx context.Context, client *http.Client, url string) (json.RawMessage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %s", url, response.Status, body)
	}
	if !json.Valid(body) {
		return nil, fmt.Errorf("%s answers what is no JSON: %s", url, body)
	}
	return body, nil
}

func pause() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}
