// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target shares.
///
/// One place, no per-target exceptions.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// C is optimised in every configuration: an unoptimised kernel makes debug tests crawl.
let fast: [CSetting] = [.unsafeFlags(["-O3", "-Wall", "-Werror"])]

/// So are the rooms whose loops pass over every number of a model, pixel of a scene or character of a text.
let looping: Set = ["Runtime", "Scenes", "Tensors", "Tokenizers", "Tracing"]

/// Rooms whose every line that could touch memory it should not says so: the compiler holds them to it.
let safe: Set = [
  "Characters", "Language", "Tracing", "Generation", "Making", "Notebooks", "Models",
  "Commands", "Layers", "Boxes", "Templates",
]

/// A Swift target of the house, with the targets it may import.
func room(
  _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil,
  documents: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: ["README.md"] + documents,
    resources: resources,
    swiftSettings: strict + (looping.contains(name) ? [.unsafeFlags(["-O"])] : [])
      + (safe.contains(name) ? [.strictMemorySafety()] : []))
}

/// The tests of the room of the same name.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    swiftSettings: strict)
}

let package = Package(
  name: "fovea",
  products: [.executable(name: "fovea", targets: ["fovea"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/System/COpenBLAS",
      providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CCairo", path: "Sources/System/CCairo", pkgConfig: "pangocairo",
      providers: [.apt(["libcairo2-dev", "libpango1.0-dev"])]),
    .systemLibrary(
      name: "CGLib", path: "Sources/System/CGLib", pkgConfig: "glib-2.0",
      providers: [.apt(["libglib2.0-dev"])]),
    .systemLibrary(
      name: "CGraphviz", path: "Sources/System/CGraphviz", pkgConfig: "libgvc",
      providers: [.apt(["libgraphviz-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CBytes", cSettings: fast),
    .target(name: "CFiles", cSettings: fast),
    .target(name: "CKernels", cSettings: fast),
    .target(
      name: "CNearest", cxxSettings: [.unsafeFlags(["-O3", "-Wall", "-Werror"])]),
    .target(
      name: "CImageCodecs", cSettings: fast,
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg"), .linkedLibrary("turbojpeg")]),

    room("Characters"),
    room("Budget", ["CKernels"]),
    room("Files", ["Budget", "CFiles", "Characters"]),
    room("Hubs", ["Budget", "Files"]),
    room("Templates", ["Budget", "Files"]),
    room("Boxes", ["Budget"]),
    room("Tensors", ["Budget", "CKernels", "COpenBLAS"]),
    room("Tracing", ["Budget", "Tensors"]),
    room("Images", ["Budget", "CImageCodecs", "Tensors"]),
    room("Checkpoints", ["Budget", "CZlib", "Files", "Tensors", "Tracing"]),
    room("Tokenizers", ["Budget", "CGLib", "Files"]),
    room("Layers", ["Budget", "Checkpoints", "Tensors", "Tracing"]),
    room("Generation", ["Tensors"]),
    room(
      "Models",
      [
        "Budget", "Checkpoints", "Files", "Generation", "Images", "Layers", "Templates", "Tensors",
        "Tokenizers", "Tracing",
      ], resources: [.copy("Resources/Default")], documents: ["Configurations/README.md"]),
    room(
      "Making",
      ["Checkpoints", "Files", "Models", "Tensors", "Tracing"]),
    room("Figures", ["Budget", "CCairo", "CGraphviz", "Characters", "Images", "Tensors"]),
    room("Language", ["Characters"]),
    room("Runtime", ["Budget", "CBytes", "Characters", "Files", "Language", "Tensors"]),
    room("Scenes", ["Files", "Images", "Tensors"]),
    room(
      "Searching",
      ["Budget", "CNearest", "Characters", "Checkpoints", "Files", "Images", "Tensors"]),
    room(
      "Commands",
      [
        "Boxes", "Budget", "Characters", "Checkpoints", "Figures", "Files", "Generation", "Hubs",
        "Images", "Language", "Models", "Runtime", "Scenes", "Searching", "Templates", "Tensors",
        "Tokenizers", "Tracing",
      ]),
    room("Notebooks", ["Files", "Language", "Runtime", "Tensors"]),
    room("Terminal", ["Characters"]),
    .executableTarget(
      name: "fovea",
      dependencies: [
        "Budget", "Characters", "Checkpoints", "Commands", "Figures", "Files", "Images", "Language",
        "Making",
        "Models", "Notebooks", "Runtime", "Scenes", "Searching", "Tensors", "Terminal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["README.md"], swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Tensors"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests("Characters", []),
    tests("Budget", ["Files"]),
    tests("Files", ["Tensors"]),
    tests("Hubs", ["Files"]),
    tests("Templates", ["Budget", "Files"]),
    tests("Boxes", []),
    .target(name: "TileEmulator", path: "Tests/TileEmulator", cSettings: fast),
    tests("Tensors", ["TileEmulator"]),
    tests("Tracing", ["Tensors"]),
    tests("Images", ["Tensors"]),
    tests("Checkpoints", ["Files", "Tensors", "Tracing"]),
    tests("Tokenizers", ["Files"]),
    tests("Layers", ["Checkpoints", "Tensors", "Tracing"]),
    tests("Generation", ["Checkpoints", "Files", "Tensors"]),
    tests(
      "Models",
      [
        "Budget", "Checkpoints", "Files", "Generation", "Images", "Making", "Templates", "Tensors",
        "Tokenizers", "Tracing",
      ]
    ),
    tests(
      "Making",
      ["Checkpoints", "Files", "Generation", "Images", "Models", "Tensors", "Tracing"]),
    tests("Figures", ["Images", "Tensors"]),
    tests("Language", []),
    tests("Runtime", ["Budget", "Characters", "Language", "Tensors"]),
    tests("Scenes", ["Files", "Images", "Tensors"]),
    tests("Searching", ["Checkpoints", "Files", "Images", "Scenes", "Tensors"]),
    tests("Terminal", ["Characters"]),
    tests(
      "Commands",
      [
        "Budget", "Characters", "Checkpoints", "Files", "Language", "Making", "Models", "Runtime",
        "Tensors",
      ]),
    tests("Notebooks", ["Commands", "Language", "Runtime"]),
    tests("fovea", ["Checkpoints", "Files", "Runtime", "Tensors", "Terminal"]),
  ]
)
