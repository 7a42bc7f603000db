package main

import (
	"context"
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
	configuration := keks.NewConfiguration()
	configuration.Servers = keks.ServerConfigurations{{URL: os.Args[1]}}
	client := keks.NewAPIClient(configuration)
	ctx := context.Background()
	issued, _, err := client.TokensAPI.AuthIssue(ctx).IssueRequest(*keks.NewIssueRequest(os.Args[2], os.Args[3])).Execute()
	must(err == nil, "no token")
	bearer := context.WithValue(ctx, keks.ContextAccessToken, issued.Token)
	cookies, _, err := client.CookiesAPI.CookiesEat(bearer).Execute()
	must(err == nil && len(cookies) == 3, "no cookies")
	_, _, err = client.TokensAPI.AuthRevoke(ctx).TokenRequest(*keks.NewTokenRequest(issued.Token)).Execute()
	must(err == nil, "not revoked")
	_, answer, err := client.CookiesAPI.CookiesEat(bearer).Execute()
	must(err != nil && answer != nil && answer.StatusCode == 401, "not dead")
}
