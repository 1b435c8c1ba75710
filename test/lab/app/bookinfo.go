package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
)

// What reviews answers, in the fields that BookInfo's own image fills.
type reviews struct {
	ID          string   `json:"id"`
	Podname     string   `json:"podname"`
	Clustername string   `json:"clustername"`
	Reviews     []review `json:"reviews"`
}

type review struct {
	Reviewer string          `json:"reviewer"`
	Text     string          `json:"text"`
	Rating   json.RawMessage `json:"rating,omitempty"`
}

// bookinfo plays the service that the pod is called after: productpage-v1-..., reviews-v3-...
func bookinfo(client *http.Client) http.Handler {
	pod, _ := os.Hostname()
	service, rest, _ := strings.Cut(pod, "-")
	version, _, _ := strings.Cut(rest, "-")
	mux := http.NewServeMux()
	switch service {
	case "productpage":
		mux.HandleFunc("/api/v1/products/{id}/reviews", func(w http.ResponseWriter, r *http.Request) {
			body, err := ask(r.Context(), client, "http://reviews:9080/reviews/"+r.PathValue("id"))
			reply(w, body, err)
		})
	case "reviews":
		mux.HandleFunc("/reviews/{id}", func(w http.ResponseWriter, r *http.Request) {
			said, err := firstReview(r.Context(), client, version)
			reply(w, reviews{r.PathValue("id"), pod, os.Getenv("CLUSTER_NAME"), []review{said}}, err)
		})
	case "ratings":
		mux.HandleFunc("/ratings/{id}", func(w http.ResponseWriter, r *http.Request) {
			reply(w, map[string]any{"id": r.PathValue("id"), "ratings": map[string]int{"Reviewer1": 5, "Reviewer2": 4}}, nil)
		})
	case "details":
		mux.HandleFunc("/details/{id}", func(w http.ResponseWriter, r *http.Request) {
			reply(w, map[string]any{"id": r.PathValue("id"), "pages": 200}, nil)
		})
	}
	return mux
}

// Only v1 of reviews does without ratings.
func firstReview(ctx context.Context, client *http.Client, version string) (review, error) {
	said := review{Reviewer: "Reviewer1", Text: "Read it twice."}
	if version == "v1" {
		return said, nil
	}
	rating, err := ask(ctx, client, "http://ratings:9080/ratings/0")
	said.Rating = rating
	return said, err
}

func reply(w http.ResponseWriter, body any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		body = map[string]string{"error": err.Error()}
	}
	json.NewEncoder(w).Encode(body)
}
