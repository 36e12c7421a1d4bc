/** What an event is about: members of its request, and the type of what they name (CloudTrail's resource types). */
export const resourceTypes = {
  Name: 'AWS::MWAA::Environment',
  UserName: 'AWS::IAM::User',
  GroupName: 'AWS::IAM::Group',
  RoleName: 'AWS::IAM::Role',
  RoleArn: 'AWS::IAM::Role',
  PolicyArn: 'AWS::IAM::Policy',
  AccessKeyId: 'AWS::IAM::AccessKey',
  bucketName: 'AWS::S3::Bucket',
} as const satisfies Readonly<Record<string, string>>;

/** The resources that an event names, as LookupEvents lists them. */
export const resourcesOf = (requestParameters: Readonly<Record<string, unknown>> | null) =>
  Object.entries(resourceTypes).flatMap(([member, type]) => {
    const name = requestParameters?.[member];
    return typeof name === 'string' ? [{ ResourceType: type, ResourceName: name }] : [];
  });
