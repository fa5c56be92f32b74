# Newswire for Nix: the program, and a module for NixOS. From this folder: nix build
{
  description = "A feed aggregator daemon";
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      source = ../..;
      version = (builtins.fromTOML (builtins.readFile (source + "/Cargo.toml"))).package.version;
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "newswire";
          inherit version;
          src = source;
          cargoLock.lockFile = source + "/Cargo.lock";
          buildFeatures = [ "jemalloc" ];
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # The tests of the sandbox: those of the rooms. The others start servers.
          cargoTestFlags = [ "--lib" ];
          postInstall = ''
            $out/bin/newswire man man
            installManPage man/man*/*
            for shell in bash zsh fish; do
              $out/bin/newswire completions $shell > newswire.$shell
            done
            installShellCompletion newswire.bash newswire.zsh newswire.fish
            install -D -m 644 systemd/newswire.catalog $out/lib/systemd/catalog/newswire.catalog
          '';
          meta = {
            description = "A feed aggregator daemon";
            license = pkgs.lib.licenses.mit;
            mainProgram = "newswire";
            platforms = systems;
          };
        };
      });

      nixosModules.default =
        { config, lib, pkgs, ... }:
        let
          options = config.services.newswire;
        in
        {
          options.services.newswire = {
            enable = lib.mkEnableOption "Newswire";
            package = lib.mkOption {
              type = lib.types.package;
              default = self.packages.${pkgs.system}.default;
              description = "The program.";
            };
            config = lib.mkOption {
              type = lib.types.lines;
              description = "The text of newswire.toml. Secrets are references to files.";
            };
          };
          config = lib.mkIf options.enable {
            environment.etc."newswire/newswire.toml".text = options.config;
            environment.systemPackages = [ options.package ];
            systemd.services.newswire = {
              description = "Newswire feed aggregator";
              after = [ "network-online.target" ];
              wants = [ "network-online.target" ];
              wantedBy = [ "multi-user.target" ];
              reloadTriggers = [ config.environment.etc."newswire/newswire.toml".source ];
              serviceConfig = {
                Type = "notify";
                ExecStart = "${options.package}/bin/newswire run --config /etc/newswire/newswire.toml";
                ExecReload = "${options.package}/bin/newswire reload --config /etc/newswire/newswire.toml";
                Restart = "on-failure";
                RestartSec = "5s";
                WatchdogSec = "30s";
                DynamicUser = true;
                StateDirectory = "newswire";
                StateDirectoryMode = "0700";
                RuntimeDirectory = "newswire";
                UMask = "0077";
                CapabilityBoundingSet = "";
                NoNewPrivileges = true;
                ProtectSystem = "strict";
                ProtectHome = true;
                PrivateTmp = true;
                PrivateDevices = true;
                ProtectKernelTunables = true;
                ProtectKernelModules = true;
                ProtectControlGroups = true;
                RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
                RestrictNamespaces = true;
                MemoryDenyWriteExecute = true;
                SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
                MemoryMax = "1G";
              };
            };
          };
        };
    };
}
