package main

import (
	"context"
	"net/http"
	"os"

	"example.com/story/keks"
)

func must(held bool, what string) {
	if !held {
		println(what)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	client, err := keks.NewClientWithResponses(os.Args[1])
	must(err == nil, "no client")
	issued, err := client.AuthIssueWithResponse(ctx, nil, keks.IssueRequest{User: os.Args[2], Password: os.Args[3]})
	must(err == nil && issued.JSON200 != nil, "no token")
	token := issued.JSON200.Token
	bearer := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	cookies, err := client.CookiesEatWithResponse(ctx, bearer)
	must(err == nil && cookies.JSON200 != nil && len(*cookies.JSON200) == 3, "no cookies")
	revoked, err := client.AuthRevokeWithResponse(ctx, keks.TokenRequest{Token: token})
	must(err == nil && revoked.StatusCode() == 200, "not revoked")
	dead, err := client.CookiesEatWithResponse(ctx, bearer)
	must(err == nil && dead.JSON401 != nil && string(dead.JSON401.Error) == "invalid_token", "not dead")
}
