/// One operation of the interface, as the OpenAPI document tells it.
public struct APIOperation: Hashable, Sendable {
    /// A parameter in the path or the query.
    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var isInPath: Bool
        public var isRequired: Bool
        /// A JSON schema type: `string`, `integer` or `boolean`.
        public var type: String
        public var summary: String

        static func path(_ name: String, _ summary: String) -> Parameter {
            Parameter(name: name, isInPath: true, isRequired: true, type: "string", summary: summary)
        }

        static func query(
            _ name: String, _ summary: String, type: String = "string", required: Bool = false
        ) -> Parameter {
            Parameter(name: name, isInPath: false, isRequired: required, type: type, summary: summary)
        }
    }

    /// A body of a request or an answer.
    public enum Body: Hashable, Sendable {
        case none
        /// JSON by the name of a schema in `OpenAPISchemas`.
        case json(String)
        /// The same, or COSE if the caller asks for it.
        case jsonOrCOSE(String)
        case other(String)
    }

    /// Upper case.
    public var method: String
    public var path: String
    public var tag: String
    public var summary: String
    public var parameters: [Parameter]
    public var request: Body
    /// The usual successful answer; every operation may also answer with the error envelope.
    public var status: Int
    /// Other statuses than `status` and those of the error envelope that need telling, with their meaning.
    public var otherStatuses: [Int: String]
    /// What they answer with where it is not the error envelope.
    public var otherAnswers: [Int: Body]
    public var answer: Body
    /// The action a caller needs; `nil`: no authentication.
    public var action: String?

    init(
        _ method: String, _ path: String, _ tag: String, _ summary: String, _ parameters: [Parameter] = [],
        request: Body = .none, status: Int = 200, answer: Body = .none, action: String? = nil,
        otherStatuses: [Int: String] = [:], otherAnswers: [Int: Body] = [:]
    ) {
        self.method = method
        self.path = path
        self.tag = tag
        self.summary = summary
        self.parameters = parameters
        self.request = request
        self.status = status
        self.answer = answer
        self.action = action
        self.otherStatuses = otherStatuses
        self.otherAnswers = otherAnswers
    }
}
