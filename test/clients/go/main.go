// Calls every operation of the service mwaa with the AWS SDK for Go v2, as a program of a user would.
//
// Reads {endpoint, region, accessKeyId, secretAccessKey, name, arn, create, page, resolveLocally} from standard input
// and prints one answer an operation: {"result": …} or {"error": {"code", "status", "message", "restApiStatusCode"}}.
// "page" is an address that is read with net/http as it comes; its answer is the status.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/mwaa"
	"github.com/aws/aws-sdk-go-v2/service/mwaa/document"
	"github.com/aws/aws-sdk-go-v2/service/mwaa/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

type order struct {
	Endpoint, Region, AccessKeyID, SecretAccessKey, Name, Arn, Page string
	ResolveLocally                                                  bool
	Create                                                          struct {
		SourceBucketArn, DagS3Path, ExecutionRoleArn string
		SubnetIds                                    []string
	}
}

type answer map[string]any

// localHosts does what a line `127.0.0.1 api.localhost env.localhost ops.localhost` in /etc/hosts does.
func localHosts() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(address)
			if strings.HasSuffix(host, ".localhost") {
				address = net.JoinHostPort("127.0.0.1", port)
			}
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

func newClient(o order) *mwaa.Client {
	options := mwaa.Options{
		Region:       o.Region,
		BaseEndpoint: aws.String(o.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, ""),
		Retryer:      aws.NopRetryer{},
	}
	if o.ResolveLocally {
		options.HTTPClient = localHosts()
	}
	return mwaa.New(options)
}

func statusOf(page string) answer {
	response, err := http.Get(page)
	if err != nil {
		return outcome(nil, err)
	}
	defer response.Body.Close()
	return outcome(response.StatusCode, nil)
}

func outcome(result any, err error) answer {
	if err == nil {
		return answer{"result": result}
	}
	told := answer{"message": err.Error()}
	var api smithy.APIError
	if errors.As(err, &api) {
		told["code"], told["message"] = api.ErrorCode(), api.ErrorMessage()
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		told["status"] = response.HTTPStatusCode()
	}
	var rest *types.RestApiClientException
	if errors.As(err, &rest) {
		told["restApiStatusCode"] = aws.ToInt32(rest.RestApiStatusCode)
		var body map[string]any
		if rest.RestApiResponse != nil && rest.RestApiResponse.UnmarshalSmithyDocument(&body) == nil {
			told["restApiResponse"] = body
		}
	}
	return answer{"error": told}
}

// plain gives what a document holds; the type itself has no fields to print.
func plain(out *mwaa.InvokeRestApiOutput, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	var body map[string]any
	err = out.RestApiResponse.UnmarshalSmithyDocument(&body)
	return answer{"RestApiStatusCode": out.RestApiStatusCode, "RestApiResponse": body}, err
}

func invoke(ctx context.Context, client *mwaa.Client, name, path string) answer {
	return outcome(plain(client.InvokeRestApi(ctx, &mwaa.InvokeRestApiInput{
		Name:            &name,
		Path:            &path,
		Method:          types.RestApiMethodPost,
		QueryParameters: document.NewLazyDocument(map[string]any{"limit": 5, "tags": []string{"a", "b"}}),
		Body:            document.NewLazyDocument(map[string]any{"note": "x"}),
	})))
}

func environments(ctx context.Context, client *mwaa.Client, o order, answers map[string]answer) {
	create := o.Create
	fresh := o.Name + "-go"
	answers["CreateEnvironment"] = outcome(client.CreateEnvironment(ctx, &mwaa.CreateEnvironmentInput{
		Name:             &fresh,
		SourceBucketArn:  &create.SourceBucketArn,
		DagS3Path:        &create.DagS3Path,
		ExecutionRoleArn: &create.ExecutionRoleArn,
		AirflowVersion:   aws.String("3.3.1"),
		NetworkConfiguration: &types.NetworkConfiguration{
			SubnetIds: create.SubnetIds,
		},
		Tags: map[string]string{"by": "go"},
	}))
	answers["GetEnvironment"] = outcome(client.GetEnvironment(ctx, &mwaa.GetEnvironmentInput{Name: &fresh}))
	answers["ListEnvironments"] = outcome(client.ListEnvironments(ctx, &mwaa.ListEnvironmentsInput{}))
	missing := "nobody"
	answers["DeleteEnvironment"] = outcome(client.DeleteEnvironment(ctx, &mwaa.DeleteEnvironmentInput{Name: &missing}))
}

func tags(ctx context.Context, client *mwaa.Client, o order, answers map[string]answer) {
	answers["TagResource"] = outcome(client.TagResource(ctx, &mwaa.TagResourceInput{
		ResourceArn: &o.Arn,
		Tags:        map[string]string{"go": "1", "a b": "x+y=z @:/"},
	}))
	answers["UntagResource"] = outcome(client.UntagResource(ctx, &mwaa.UntagResourceInput{
		ResourceArn: &o.Arn,
		TagKeys:     []string{"go", "nobody has it"},
	}))
	answers["ListTagsForResource"] = outcome(client.ListTagsForResource(ctx, &mwaa.ListTagsForResourceInput{
		ResourceArn: &o.Arn,
	}))
}

func main() {
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := newClient(o)
	answers := map[string]answer{"Page": statusOf(o.Page)}
	environments(ctx, client, o, answers)
	tags(ctx, client, o, answers)
	answers["CreateCliToken"] = outcome(client.CreateCliToken(ctx, &mwaa.CreateCliTokenInput{Name: &o.Name}))
	answers["CreateWebLoginToken"] = outcome(client.CreateWebLoginToken(ctx, &mwaa.CreateWebLoginTokenInput{Name: &o.Name}))
	answers["InvokeRestApi"] = invoke(ctx, client, o.Name, "/echo/manual__2026-01-01T00:00:00+00:00")
	answers["InvokeRestApi missing"] = invoke(ctx, client, o.Name, "/missing")
	answers["UpdateEnvironment"] = outcome(client.UpdateEnvironment(ctx, &mwaa.UpdateEnvironmentInput{
		Name:                         &o.Name,
		AirflowConfigurationOptions:  map[string]string{"core.changed_by": "go"},
		WeeklyMaintenanceWindowStart: aws.String("TUE:02:30"),
	}))
	// Withdrawn, and still in the SDK.
	answers["PublishMetrics"] = outcome(client.PublishMetrics(ctx, &mwaa.PublishMetricsInput{
		EnvironmentName: &o.Name,
		MetricData:      []types.MetricDatum{{MetricName: aws.String("a"), Timestamp: aws.Time(time.Unix(1, 0))}},
	}))
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
